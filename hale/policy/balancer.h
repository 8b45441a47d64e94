#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/load.h"

namespace hale::policy {

enum class BalanceKind : std::uint8_t {
  kP2c,         ///< the better of two drawn at random, by cost, calls in flight and weight
  kRoundRobin,  ///< one after another, whatever their weight
  kWeighted,    ///< one after another in proportion to their weight, interleaved
};

constexpr auto Names(Type<BalanceKind>) {
  return std::array{Name<BalanceKind>{"p2c", BalanceKind::kP2c},
                    Name<BalanceKind>{"round_robin", BalanceKind::kRoundRobin},
                    Name<BalanceKind>{"weighted", BalanceKind::kWeighted}};
}

struct BalanceOptions {
  BalanceKind kind = BalanceKind::kP2c;
  Duration slow_start = std::chrono::seconds(10);  ///< ramp of who joins or returns; 0: none

  friend bool operator==(const BalanceOptions&, const BalanceOptions&) = default;
};

constexpr auto Fields(Type<BalanceOptions>) {
  using O = BalanceOptions;
  return std::tuple{
      Field{"kind", &O::kind, "p2c, round_robin or weighted"},
      Field{"slow_start", &O::slow_start, 0ms, 1h, "ramp of an instance that joins or returns"}};
}
constexpr std::string_view Shorthand(Type<BalanceOptions>) { return "kind"; }

/// One instance that may be picked.
struct Candidate {
  const Load* load = nullptr;          ///< p2c needs it
  double weight = 1;                   ///< [0, …); 0 takes no new calls
  TimePoint since = TimePoint::min();  ///< when it joined or came back
};

/// Picks one of some candidates. The set may differ from one call to the next: nothing is kept
/// about a candidate here, only one running number. Thread-safe.
class Balancer {
 public:
  explicit Balancer(const BalanceOptions& options = {});
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// An index into `candidates`; nothing when none has weight.
  std::optional<std::size_t> Pick(std::span<const Candidate> candidates, Random& random,
                                  TimePoint now);
  void Apply(const BalanceOptions& options);

 private:
  std::optional<std::size_t> PickInTurn(std::span<const Candidate> candidates, BalanceKind kind,
                                        TimePoint now);
  std::optional<std::size_t> PickBetterOfTwo(std::span<const Candidate> candidates, Random& random,
                                             TimePoint now) const;

  std::atomic<BalanceKind> kind_;
  std::atomic<Duration> slow_start_;
  alignas(64) std::atomic<std::uint64_t> turn_{0};
};

}  // namespace hale::policy
