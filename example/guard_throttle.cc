// A ledger that can take 20 charges a second is asked for 100: what it would turn away costs it
// work as well, so most of that is not sent.

#include <iostream>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// Takes 20 calls of each second and turns the others away.
class Ledger {
 public:
  explicit Ledger(const hale::Clock& clock) : clock_(clock) {}

  hale::Result<int> Charge() {
    ++sent_;
    const hale::TimePoint second = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    if (second != second_) in_second_ = 0;
    second_ = second;
    if (++in_second_ > 20) return hale::Fail(hale::Code::kResourceExhausted, "busy");
    return ++taken_;
  }
  int sent() const { return sent_; }
  int taken() const { return taken_; }

 private:
  const hale::Clock& clock_;
  hale::TimePoint second_;
  int in_second_ = 0;
  int sent_ = 0;
  int taken_ = 0;
};

}  // namespace

int main() {
  hale::SimClock clock;  // virtual time, so that a minute takes no time
  Ledger ledger(clock);
  hale::Guard guard{{.throttle = {.mode = hale::policy::Mode::kEnforce},
                     .breaker = {.mode = hale::policy::Mode::kOff},
                     .retry = {.mode = hale::policy::Mode::kOff}},
                    {.clock = clock}};
  int throttled = 0;
  for (int call = 0; call < 6000; ++call) {
    const auto receipt = guard.Call([&](const hale::Attempt&) { return ledger.Charge(); });
    if (!receipt && receipt.error().reason == hale::Reason::kThrottled) ++throttled;
    clock.Advance(10ms);
  }
  const double share = guard.throttle().share(clock.Now());  // of calls that are held back now
  std::cout << "6000 calls: " << ledger.sent() << " sent, " << ledger.taken() << " taken, "
            << throttled << " held back; " << static_cast<int>(share * 100) << "% now\n";
}
