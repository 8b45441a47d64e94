#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hale/base/clock.h"
#include "hale/policy/concurrency_limit.h"
#include "hale/policy/fuzz_input.h"

// Any sequence of (time, attempt, change of options) leads the limit and a model that keeps every
// attempt and follows the documentation word by word to the same figure.

namespace hale::policy {
namespace {

/// What the documentation says, in seconds and plain words, without any thrift.
class LimitModel {
 public:
  LimitModel(const ConcurrencyLimitOptions& o, double m) : options(o), most(m), limit(o.start) {
    Bound();
  }

  void Observe(const LimitSample& sample, TimePoint now) {
    if (options.mode == Mode::kOff || sample.reception == Reception::kUnknown) return;
    const bool slow = options.slow_call > 0s && sample.latency >= options.slow_call;
    const bool good = sample.reception == Reception::kTaken && !slow;
    attempts_.push_back({good, sample.latency, static_cast<double>(sample.in_flight)});
    if (begun_ && now < window_ends_) return;
    if (begun_ && attempts_.size() >= 20) {
      Step();
      attempts_.clear();
    }
    begun_ = true;
    window_ends_ = now + std::max(options.window, 2 * no_load);
  }
  void Bound() { limit = std::min(std::max<double>(limit, options.min), most); }
  void Apply(const ConcurrencyLimitOptions& changed, double bound) {
    if (changed.kind != options.kind) falling_ = false;
    if (changed.kind != options.kind || changed.mode != options.mode) {
      begun_ = false;
      attempts_.clear();
    }
    options = changed;
    most = bound;
    Bound();
  }

  ConcurrencyLimitOptions options;
  double most;
  double limit;
  Duration no_load{0};

 private:
  struct Attempt {
    bool good;
    Duration latency;
    double in_flight;
  };

  void Step() {
    double good = 0;
    double in_flight = 0;
    Duration latency{0};
    for (const Attempt& attempt : attempts_) {
      good += attempt.good ? 1 : 0;
      if (attempt.good) latency += attempt.latency;
      in_flight += attempt.in_flight;
    }
    const auto all = static_cast<double>(attempts_.size());
    const bool used = in_flight / all >= limit / 2;
    double next = limit;
    if (options.kind == LimitKind::kAimd && used) next = limit + 1;
    if (good > 0) {
      const Duration mean(latency.count() / static_cast<std::int64_t>(good));
      Learn(mean, good, used);
      if (options.kind == LimitKind::kGradient2 && used) next = Gradient(mean, in_flight / all);
    }
    if (all - good > all / 100) next = std::min(next, limit * 0.9);
    if (options.mode == Mode::kShadow && good > 0) {
      // As many as would be out in force: none dropped, none slower than tolerated.
      double well = in_flight / all * good / all;
      if (options.kind == LimitKind::kGradient2) {
        const double mean = Seconds(latency) / good;
        well *= std::min(1.0, options.tolerance * Seconds(no_load) / mean);
      }
      next = std::max(next, well);
    }
    limit = next;
    Bound();
  }
  void Learn(Duration latency, double good, bool used) {
    const Duration seen = std::max(latency, Duration(1));
    if (no_load == 0s) {
      no_load = seen;
    } else {
      no_load = std::min(no_load, Scale(seen, 1 + 2 / std::sqrt(good)));
      if (!used) no_load += Scale(seen - no_load, 0.1);
    }
  }
  double Gradient(Duration latency, double in_flight) {
    const Duration seen = std::max(latency, Duration(1));
    const double gradient = options.tolerance * Seconds(no_load) / Seconds(seen);
    if (gradient >= 1) {
      falling_ = false;
      return limit + 0.2 * std::max(4.0, std::sqrt(limit));
    }
    if (options.mode == Mode::kEnforce && in_flight <= limit / 0.9) {
      WatchFall(seen);
    } else {
      falling_ = false;
    }
    return limit * (1 - 0.2 * (1 - std::max(0.5, gradient)));
  }
  void WatchFall(Duration latency) {
    if (!falling_) fell_from_ = limit, latency_then_ = latency;
    falling_ = true;
    const bool at_the_end = limit <= std::min<double>(options.min, most);
    if (limit > fell_from_ / 2 && !at_the_end) return;
    const double expected = (1 + limit / fell_from_) / 2;
    const bool own = latency > Scale(latency_then_, expected);
    if (own || (at_the_end && limit == fell_from_)) {
      no_load = at_the_end ? no_load + Scale(latency - no_load, 0.1) : latency;
    }
    fell_from_ = limit;
    latency_then_ = latency;
  }

  std::vector<Attempt> attempts_;
  bool begun_ = false;
  TimePoint window_ends_{};
  bool falling_ = false;
  double fell_from_ = 0;
  Duration latency_then_{0};
};

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  if (size < 4) return 0;
  constexpr std::array kModes = {Mode::kEnforce, Mode::kEnforce, Mode::kShadow, Mode::kOff};
  const auto options_of = [&](std::uint8_t byte) {
    return ConcurrencyLimitOptions{
        .mode = kModes[byte % 4],
        .kind = byte / 4 % 3 == 0 ? LimitKind::kAimd : LimitKind::kGradient2,
        .min = 1U + byte % 9,
        .start = 1U + byte % 100U,
        .tolerance = 1 + 0.25 * (byte % 5),
        .slow_call = byte % 7 == 0 ? Duration(300ms) : Duration(0ms),
        .window = Duration(100ms) * (1 + byte % 6)};
  };
  const std::uint32_t most = 5 + data[1];
  ConcurrencyLimit limit(options_of(data[0]), most);
  LimitModel model(options_of(data[0]), most);
  TimePoint now = SimClock().Now();
  for (std::size_t i = 2; i + 1 < std::min<std::size_t>(size, 800); i += 2) {
    const std::uint8_t what = data[i];
    if (what >= 252) {
      const std::uint32_t bound = 5 + data[i + 1];
      limit.Apply(options_of(data[i + 1]), bound);
      model.Apply(options_of(data[i + 1]), bound);
    } else {
      const auto reception = static_cast<Reception>(what % 16 == 0 ? 1 + what / 16 % 2 : 0);
      const Duration latency = Duration(1ms) * (1 << (data[i + 1] % 11)) + Duration(1us) * what;
      const double use = (data[i + 1] / 11) / 16.0;
      const auto in_flight = static_cast<std::uint32_t>(use * limit.found());
      now += Duration(1ms) * (what % 32);
      for (int times = 0; times < 1 + what / 16; ++times) {
        const std::uint32_t before = limit.found();
        const bool told = limit.Observe({reception, latency, in_flight}, now);
        model.Observe({reception, latency, in_flight}, now);
        Require(told == (limit.found() != before));
      }
    }
    Require(std::abs(limit.found() - model.limit) < 1 + 1e-6);
    Require(limit.found() <= model.most);
    Require(limit.found() >= std::min(static_cast<double>(model.options.min), model.most) - 1e-6);
    const double error = std::abs(Seconds(limit.Status().no_load - model.no_load));
    Require(error <= 1e-9 + 1e-9 * Seconds(model.no_load));
  }
  return 0;
}
