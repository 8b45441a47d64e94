#pragma once

#include <functional>

#include "hale/base/time.h"
#include "hale/net/loop.h"

namespace hale::test {

/// An event loop that a test runs for as long as it needs. Not thread-safe.
class RealTime {
 public:
  net::Loop& loop() { return loop_; }

  /// Runs until `done` or the limit; says whether it was done.
  bool RunUntil(std::function<bool()> done, Duration limit = 10s) {
    const TimePoint end = RealClock().Now() + limit;
    loop_.Post([this, &done, end] { Look(done, end); });
    loop_.Run();
    return done();
  }
  void RunFor(Duration span) {
    RunUntil([] { return false; }, span);
  }

 private:
  void Look(std::function<bool()>& done, TimePoint end) {
    const TimePoint now = RealClock().Now();
    if (done() || now >= end) return loop_.Stop();
    loop_.At(now + 1ms, [this, &done, end] { Look(done, end); });
  }

  net::Loop loop_;
};

}  // namespace hale::test
