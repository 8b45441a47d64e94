#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/pacer.h"
#include "hale/policy/sliding_log.h"

// A pacer against the list of the instants at which its calls go, and a log against the list of its
// calls, both kept in full: whatever is taken, cancelled, given back and however time moves.

namespace hale::policy {
namespace {

struct Paced {
  TimePoint at;
  Pacer::Turn turn;
};

/// Any span of time holds at most rate × t + 1 + slack of the calls that go.
void RequireSpaced(std::vector<TimePoint> went, Duration between, std::uint64_t slack) {
  std::sort(went.begin(), went.end());
  for (std::size_t i = slack + 1; i < went.size(); ++i) {
    // A nanosecond for each wait is what a clock's tick rounds.
    Require(went[i] - went[i - slack - 1] + Duration(static_cast<std::int64_t>(slack) + 1) >=
            between);
  }
}

void FuzzPacer(const std::uint8_t* data, std::size_t size) {
  SimClock clock;
  const std::uint64_t slack = data[0] % 4;
  Pacer pacer({.rate = {10, 1s}, .slack = slack, .max_wait = 1s}, {.clock = clock});
  std::vector<Paced> waiting;
  std::vector<TimePoint> went;
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t what = data[i];
    if (what < 120) {
      clock.Advance(Duration(1ms) * what);
    } else if (what < 200 || waiting.empty()) {
      const auto turn = pacer.Take();
      if (!turn) continue;
      Require(turn->wait >= 0ns && turn->wait <= 1s);
      waiting.push_back({clock.Now() + turn->wait, *turn});
    } else {
      const std::size_t which = what % waiting.size();
      // Only who still waits can give its turn back.
      if (waiting[which].at > clock.Now())
        pacer.Cancel(waiting[which].turn, clock.Now());
      else
        went.push_back(waiting[which].at);
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  for (const Paced& paced : waiting) went.push_back(paced.at);
  RequireSpaced(std::move(went), 100ms, slack);
}

void FuzzLog(const std::uint8_t* data, std::size_t size) {
  TimePoint now(1h);
  std::uint64_t limit = 1 + data[0] % 8;
  SlidingLogCore log(limit, 1s);
  std::vector<TimePoint> all;
  const auto inside = [&] {
    return static_cast<std::uint64_t>(std::count_if(
        all.begin(), all.end(), [&](TimePoint at) { return now - at < 1s && at <= now; }));
  };
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t what = data[i];
    if (what < 120) {
      now += Duration(1ms) * what * 4;
    } else if (what < 220) {
      const std::uint64_t weight = 1 + what % 3;
      const bool expected = inside() + weight <= limit;
      Require(log.Take(now, weight).has_value() == expected);
      if (expected) all.insert(all.end(), weight, now);
    } else if (what < 240 && !all.empty()) {
      const TimePoint at = all[what % all.size()];
      if (now - at >= 1s) continue;  // a log may have forgotten what has left
      log.GiveBack(at, 1);
      all.erase(std::find(all.begin(), all.end(), at));
    } else {
      limit = 1 + what % 8;
      // The oldest are what a smaller ring forgets; they are what leaves first, too.
      if (inside() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
      log.Resize(limit, 1s);
    }
    Require(log.count(now) == inside());
  }
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 4096) return 0;
  if (data[0] % 2 == 0) {
    hale::policy::FuzzPacer(data + 1, size - 1);
  } else {
    hale::policy::FuzzLog(data + 1, size - 1);
  }
  return 0;
}
