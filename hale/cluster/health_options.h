#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"

namespace hale::cluster {

/// How an instance is asked whether it is well.
enum class HealthKind : std::uint8_t {
  kAuto,  ///< `http` when a path is given, else `off`
  kOff,
  kHttp,  ///< GET of the path; a 2xx passes
  kTcp,   ///< a connection that is accepted passes
};

constexpr auto Names(Type<HealthKind>) {
  return std::array{
      Name<HealthKind>{"auto", HealthKind::kAuto}, Name<HealthKind>{"off", HealthKind::kOff},
      Name<HealthKind>{"http", HealthKind::kHttp}, Name<HealthKind>{"tcp", HealthKind::kTcp}};
}

/// When and how the instances of a service are checked.
struct HealthOptions {
  HealthKind kind = HealthKind::kAuto;
  std::string path = {};                        ///< asked for by `http`; empty there means `/`
  Duration interval = std::chrono::seconds(2);  ///< between two checks of one instance, ±10 %
  Duration timeout = std::chrono::seconds(1);   ///< one check, from connecting to its verdict
  std::uint32_t rise = 2;                       ///< passes in a row that make it healthy
  std::uint32_t fall = 3;                       ///< failures in a row that make it unhealthy

  friend bool operator==(const HealthOptions&, const HealthOptions&) = default;
};

constexpr auto Fields(Type<HealthOptions>) {
  using O = HealthOptions;
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  return std::tuple{
      Field{"kind", &O::kind, "auto: http when a path is given, else off"},
      Field{"path", &O::path, "what http asks for; a 2xx passes"},
      Field{"interval", &O::interval, milliseconds(100), hours(1), "between two checks, ±10 %"},
      Field{"timeout", &O::timeout, milliseconds(10), minutes(1), "for one check"},
      Field{"rise", &O::rise, 1, 100, "passes in a row that make an instance healthy"},
      Field{"fall", &O::fall, 1, 100, "failures in a row that make it unhealthy"}};
}

/// What `kAuto` stands for. Pure.
inline HealthKind EffectiveKind(const HealthOptions& options) {
  if (options.kind != HealthKind::kAuto) return options.kind;
  return options.path.empty() ? HealthKind::kOff : HealthKind::kHttp;
}

}  // namespace hale::cluster
