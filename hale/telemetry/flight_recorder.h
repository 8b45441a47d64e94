#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/telemetry/access_log.h"
#include "hale/telemetry/request_trail.h"

namespace hale::telemetry {

/// Why a request is kept, and the lane it is kept in: a flood of one kind pushes out only its own.
enum class Kept : std::uint8_t {
  kRefused,    ///< Hale turned it away
  kFailed,     ///< a 5xx, or no response at all
  kRecovered,  ///< answered, after a retry, a race or another decision on the way
  kSlow,
  kSampled,
  kShadow,  ///< nothing was done to it, only a policy in shadow would have
  kCount,
};
std::string_view Word(Kept kept);

struct FlightRecorderOptions {
  std::size_t lane = 256;                   ///< requests kept of each kind, about 5 KiB each
  Duration slow = std::chrono::seconds(1);  ///< kept when it took at least this long
  double sample = 0.001;                    ///< share of all others, by trace id
};

/// A request header as it was received; its value is redacted if its name is a secret's.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// A kept request: everything is owned and of a fixed size.
struct RequestRecord {
  std::uint64_t sequence = 0;  ///< the order of keeping over all lanes
  Kept kept = Kept::kSampled;
  WallTime time{};
  Duration duration{0};
  FixedText<128> request_id;
  TraceContext trace;
  FixedText<16> method;
  FixedText<256> target;  ///< query values redacted
  FixedText<64> route;
  FixedText<64> service;
  FixedText<64> instance;
  FixedText<48> client;
  int status = 0;
  Reason reason = Reason::kNone;
  std::uint32_t attempts = 0;
  RequestTrail trail{TimePoint{}};
  FixedText<1024> headers;  ///< `name: value` lines; secrets are `***`
};

/// The last requests that somebody may ask about. Nothing is recorded while a request runs but its
/// trail; at its end it is copied if it is worth keeping, and only then its headers are looked at.
/// Thread-safe: a mutex a lane for one copy, which plain requests never take.
class FlightRecorder {
 public:
  explicit FlightRecorder(const FlightRecorderOptions& options = {});

  /// Is it worth keeping, and as what? Pure but for the options; about 5 ns.
  std::optional<Kept> Classify(const AccessRecord& request, const RequestTrail& trail) const;
  void Keep(Kept kept, const AccessRecord& request, const RequestTrail& trail,
            std::span<const HeaderView> headers);

  /// The kept requests with this request id or trace id, oldest first: the hops of one trace, and
  /// requests whose callers chose the same id, are several.
  std::vector<RequestRecord> Find(std::string_view id) const;
  /// The newest over all lanes, newest first; those of shadow, which may be as many as there are
  /// requests, only where the others leave room.
  std::vector<RequestRecord> Latest(std::size_t limit) const;
  std::uint64_t kept(Kept lane) const;
  /// The most of each kind.
  std::size_t lane() const { return options_.lane; }

 private:
  struct Lane {
    std::vector<RequestRecord> ring;  // grows to its bound, then wraps
    std::uint64_t count = 0;
  };
  const FlightRecorderOptions options_;
  std::atomic<std::uint64_t> sequence_{0};
  std::array<Guarded<Lane>, static_cast<std::size_t>(Kept::kCount)> lanes_;
};

}  // namespace hale::telemetry
