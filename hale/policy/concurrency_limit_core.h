#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"

namespace hale::policy {

/// How a limit is found.
enum class LimitKind : std::uint8_t {
  kAimd,       ///< one more while all goes well, a tenth less when calls are dropped
  kGradient2,  ///< by how much slower calls are than without load
};

constexpr auto Names(Type<LimitKind>) {
  return std::array{Name<LimitKind>{"aimd", LimitKind::kAimd},
                    Name<LimitKind>{"gradient2", LimitKind::kGradient2}};
}

struct ConcurrencyLimitOptions {
  Mode mode = Mode::kOff;
  LimitKind kind = LimitKind::kGradient2;
  std::uint32_t min = 4;     ///< calls at once; it never goes below
  std::uint32_t start = 20;  ///< calls at once, before anything is known
  double tolerance = 1.5;    ///< [1, …), gradient2: how much slower than without load calls may be
  Duration slow_call{0};     ///< an answer that took longer counts as dropped; 0: none does
  Duration window = 500ms;   ///< the limit changes at most so often

  friend bool operator==(const ConcurrencyLimitOptions&, const ConcurrencyLimitOptions&) = default;
};

constexpr auto Fields(Type<ConcurrencyLimitOptions>) {
  using O = ConcurrencyLimitOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"kind", &O::kind, "gradient2 (by latency) or aimd (by calls that are dropped)"},
      Field{"min", &O::min, 1, 1'000'000, "it never goes below; bulkhead.limit is the most"},
      Field{"start", &O::start, 1, 1'000'000, "the limit before anything is known"},
      Field{"tolerance", &O::tolerance, 1.0, 10.0,
            "gradient2: how much slower than without load calls may be"},
      Field{"slow_call", &O::slow_call, 0ms, 1h,
            "an answer that took longer counts as dropped; 0: none does"},
      Field{"window", &O::window, 10ms, 1min, "the limit changes at most so often"}};
}

/// The attempts that ended in one window.
struct LimitWindow {
  std::uint64_t answered = 0;
  std::uint64_t dropped = 0;  ///< turned away, timed out, or slow
  Duration latency{0};        ///< mean of the answered
  double in_flight = 0;       ///< mean of what was in flight when they ended
  bool in_force = true;       ///< calls were held to the limit all the time
};

/// Finds how many calls a service can have in flight before they only wait for each other: AIMD
/// (D. Chiu, R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance",
/// 1989) and Gradient2 of Netflix' concurrency-limits (2018), without its drifts. Where more than
/// one in a hundred is dropped the limit falls by a tenth a window, whatever the latency; less than
/// half in use, and it stays as it is but for that; the queue that Gradient2 allows is added only
/// while calls are not slower than tolerated. What calls take without load is learned from live
/// traffic, with each kind: from windows that used less than half, and from faster ones; and from a
/// limit in force that was halved without calls becoming faster, for then the time is the service's
/// own. A limit that is not in force is not below what went well without it. Pure: no clock, no
/// lock. Not thread-safe; `ConcurrencyLimit` is this behind both.
class ConcurrencyLimitCore {
 public:
  /// `most`: the limit never goes above; where it is below `min` it wins.
  ConcurrencyLimitCore(const ConcurrencyLimitOptions& options, std::uint32_t most);

  void OnWindow(const LimitWindow& window);
  /// New options; what was learned stays.
  void Apply(const ConcurrencyLimitOptions& options, std::uint32_t most);

  std::uint32_t limit() const { return static_cast<std::uint32_t>(limit_); }
  /// What an answer takes without load; zero: not known.
  Duration no_load() const { return no_load_; }

 private:
  /// A fall of the limit, watched for what it does to latency.
  struct Fall {
    double limit = 0;
    Duration latency{0};
  };

  double Clamped(double limit) const;
  double Gradient(const LimitWindow& window);
  double Tolerated(const LimitWindow& window) const;
  double WentWell(const LimitWindow& window) const;
  void Learn(const LimitWindow& window, bool in_use);
  void Watch(const LimitWindow& window);

  ConcurrencyLimitOptions options_;
  double most_;
  double limit_;
  Duration no_load_{0};
  Fall fall_;
};

}  // namespace hale::policy
