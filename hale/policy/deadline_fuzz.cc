#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hale/policy/deadline.h"
#include "hale/policy/fuzz_input.h"
#include "hale/policy/hedge.h"

// Any sequence of (time, call, answer) leads the gate and the hedge to what a model says that keeps
// every answer with how often it has been halved, and every call of the last 10 s.

namespace hale::policy {
namespace {

/// Counts of latencies, as doc/hedge.md describes them; each latency is its bucket's upper end.
class Model {
 public:
  void Record(std::size_t kind) { ++counts_[kind]; }
  /// Read off at most once a second, after halving for each 10 s that have begun since the last.
  void Look(double quantile, std::uint64_t minimum, TimePoint now) {
    if (now < due_) return;
    due_ = now + 1s;
    const std::int64_t number = now.time_since_epoch() / 10s;
    for (; begun_ && number_ < number; ++number_) {
      for (auto& count : counts_) count /= 2;
    }
    number_ = std::max(begun_ ? number_ : number, number);
    begun_ = true;
    std::uint64_t all = 0;
    for (const auto count : counts_) all += count;
    kind_ = kNone;
    if (all < std::max<std::uint64_t>(minimum, 1)) return;
    const double rank = std::ceil(quantile * static_cast<double>(all));
    double seen = 0;
    for (std::size_t i = 0; i < counts_.size() && kind_ == kNone; ++i) {
      seen += static_cast<double>(counts_[i]);
      if (seen > 0 && seen >= rank) kind_ = i;
    }
  }
  static constexpr std::size_t kNone = 99;
  std::size_t kind() const { return kind_; }

 private:
  std::array<std::uint64_t, 6> counts_{};
  TimePoint due_ = TimePoint::min();
  std::int64_t number_ = 0;
  bool begun_ = false;
  std::size_t kind_ = kNone;
};

constexpr std::array<Duration, 6> kLatencies = {1ms, 5ms, 20ms, 100ms, 1s, 200s};

bool Near(Duration found, std::size_t kind) {
  if (kind == Model::kNone) return found == Duration::zero();
  if (kind == 5) return found >= LatencyHistogram::Longest();
  return found >= kLatencies[kind] && Seconds(found) <= Seconds(kLatencies[kind]) * 1.126;
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  if (size < 4) return 0;
  size = std::min<std::size_t>(size, 4000);
  const double quantile = 0.001 + data[0] % 5 * 0.1;
  const double percentile = 0.5 + data[1] % 5 * 0.1;
  const std::uint32_t minimum = 1 + data[2] % 30;
  const double most = data[3] % 6 * 0.2;
  DeadlineGate gate({.mode = Mode::kEnforce,
                     .quantile = quantile,
                     .minimum_calls = minimum,
                     .most_refused = most});
  Hedge hedge({.mode = Mode::kEnforce, .percentile = percentile, .minimum_calls = minimum});
  Model low;
  Model high;
  TimePoint now(1h);
  std::int64_t window = -1;
  double calls = 0;
  double refused = 0;
  for (std::size_t i = 4; i < size; ++i) {
    const std::uint8_t op = data[i];
    if (op < 120) {
      const std::size_t kind = op % kLatencies.size();
      gate.Record(kLatencies[kind]);
      hedge.Record(kLatencies[kind]);
      low.Record(kind);
      high.Record(kind);
    } else if (op < 180) {
      const Duration remaining = kLatencies[op % kLatencies.size()];
      if (now.time_since_epoch() / 10s != window) calls = refused = 0;
      window = now.time_since_epoch() / 10s;
      ++calls;
      low.Look(quantile, minimum, now);
      const bool got = gate.Check(remaining, now).has_value();
      refused += got ? 1 : 0;
      Require(Near(gate.Needed(now), low.kind()));
      const bool late = remaining < gate.Needed(now);
      Require(!got || (late && refused <= most * calls));
      Require(got || !late || refused + 1 > most * calls);
    } else if (op < 220) {
      high.Look(percentile, minimum, now);
      const Duration delay = hedge.Delay(now);
      const bool none = high.kind() == Model::kNone || high.kind() == 5;
      Require(none ? delay == kForever : Near(delay, high.kind()));
    } else {
      constexpr std::array<Duration, 5> kSteps = {1ms, 300ms, 1s, 4s, 35s};
      now += kSteps[op % kSteps.size()];
    }
  }
  return 0;
}
