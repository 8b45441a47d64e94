#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/throttle.h"

// Any sequence of (time, call, what became of it, change of options) leads the throttle and a model
// that keeps every call and counts anew each time to the same share and the same decisions.

namespace hale::policy {
namespace {

/// What the documentation says, without any thrift.
class ThrottleModel {
 public:
  explicit ThrottleModel(const ThrottleOptions& o) : options(o) {}

  void Count(Reception reception, TimePoint now) {
    if (options.mode == Mode::kOff || reception == Reception::kUnknown) return;
    calls_.push_back({now, reception == Reception::kTaken ? kTaken : kTurnedAway});
    if (reception == Reception::kTurnedAway) turned_away_ = now;
  }
  double Share(TimePoint now) const {
    if (options.mode == Mode::kOff) return 0;
    if (now - turned_away_ > options.window) return 0;
    const Figures window = Since(now, options.window);
    const Figures recent = Since(now, 2s);
    if (window.requests < options.minimum_calls) return 0;
    double share = (window.requests - options.k * window.taken) / (window.requests + 1);
    if (recent.taken > 0 && 10 * recent.taken >= 9 * recent.sent) {
      share = std::min(share, (recent.requests - options.k * recent.taken) / (recent.requests + 1));
    }
    return std::clamp(share, 0.0, options.max_share);
  }
  bool Admit(TimePoint now, Random& random) {
    const double share = Share(now);
    if (share <= 0) return true;
    const bool chance = random.Unit() >= share;
    const bool probe = !chance && let_through_ != SecondOf(now);
    if (chance || probe) {
      let_through_ = SecondOf(now);
      return true;
    }
    ++(options.mode == Mode::kShadow ? would_refuse : refused);
    if (options.mode == Mode::kShadow) return true;
    calls_.push_back({now, kHeld});
    return false;
  }

  ThrottleOptions options;
  std::uint64_t refused = 0;
  std::uint64_t would_refuse = 0;

 private:
  enum What : std::uint8_t { kTaken, kTurnedAway, kHeld };
  struct Call {
    TimePoint at;
    What what;
  };
  struct Figures {
    double requests = 0;
    double sent = 0;
    double taken = 0;
  };

  static std::int64_t SecondOf(TimePoint at) { return at.time_since_epoch() / 1s; }
  Figures Since(TimePoint now, Duration span) const {
    Figures figures;
    for (const Call& call : calls_) {
      if (SecondOf(call.at) <= SecondOf(now) - span / 1s) continue;
      figures.requests += 1;
      figures.sent += call.what != kHeld ? 1 : 0;
      figures.taken += call.what == kTaken ? 1 : 0;
    }
    return figures;
  }

  std::vector<Call> calls_;
  TimePoint turned_away_ = TimePoint(-24h * 365);
  std::int64_t let_through_ = -1;
};

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  if (size < 4) return 0;
  constexpr std::array kModes = {Mode::kEnforce, Mode::kEnforce, Mode::kShadow, Mode::kOff};
  constexpr std::array kWindows = {Duration(2s), Duration(2900ms), Duration(10s), Duration(60s)};
  const auto options_of = [&](std::uint8_t byte) {
    return ThrottleOptions{.mode = kModes[byte % 4],
                           .k = 1.1 + 0.3 * (byte % 7),
                           .window = kWindows[byte / 4 % 4],
                           .max_share = byte % 5 == 0 ? 0.999 : 0.2 * (byte % 5),
                           .minimum_calls = 1U + byte / 16U};
  };
  Throttle throttle(options_of(data[0]));
  ThrottleModel model(options_of(data[0]));
  SeededRandom dice(data[1]);
  SeededRandom same_dice(data[1]);
  TimePoint now = SimClock().Now() + Duration(1ms) * data[2];
  for (std::size_t i = 3; i < std::min<std::size_t>(size, 400); ++i) {
    const std::uint8_t what = data[i];
    if (what >= 250) {
      throttle.Apply(options_of(static_cast<std::uint8_t>(what * 37)));
      model.options = options_of(static_cast<std::uint8_t>(what * 37));
    } else if (what >= 200) {
      now += Duration(1ms) * (1 << (what % 17));
    } else if (what >= 100) {
      const Reception reception = what % 5 == 0   ? Reception::kUnknown
                                  : what % 5 == 1 ? Reception::kTurnedAway
                                                  : Reception::kTaken;
      const Reception bad = what >= 150 ? Reception::kTurnedAway : reception;
      for (int times = 0; times < 1 + what % 7; ++times) {
        throttle.Count(bad, now);
        model.Count(bad, now);
      }
    } else {
      const bool expected = model.Admit(now, same_dice);
      Require(throttle.Admit(now, dice).has_value() == expected);
    }
    Require(std::abs(throttle.share(now) - model.Share(now)) < 1e-9);
    Require(throttle.share(now) <= 0.999);
    Require(throttle.Status(now).refused == model.refused);
    Require(throttle.Status(now).would_refuse == model.would_refuse);
  }
  return 0;
}
