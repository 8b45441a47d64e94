// A service of four workers is offered twice what it can do: the limit finds out how many calls it
// can have in flight before they only wait for each other.

#include <algorithm>
#include <array>
#include <iostream>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// Four workers of 40 ms a call: 100 a second, in the order in which they come.
class Service {
 public:
  explicit Service(hale::Executor& executor) : executor_(executor) { free_.fill(executor.Now()); }

  hale::Task<hale::Result<int>> operator()(const hale::Attempt&) {
    hale::TimePoint& worker = *std::ranges::min_element(free_);
    worker = std::max(worker, executor_.Now()) + 40ms;
    const bool slept = co_await hale::SleepUntil(executor_, worker);
    if (!slept) co_return hale::Fail(hale::Code::kCancelled, "stopped");
    co_return ++served_;
  }
  int served() const { return served_; }

 private:
  hale::Executor& executor_;
  std::array<hale::TimePoint, 4> free_;
  int served_ = 0;
};

hale::Task<void> Serve(hale::Executor& executor, hale::Guard& guard, Service& service) {
  (void)co_await guard.CallAsync(executor, service);
}

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  Service service(executor);
  hale::Guard guard{
      {.bulkhead = {.limit = 500}, .concurrency = {.mode = hale::policy::Mode::kEnforce, .min = 2}},
      {.clock = executor.clock()}};
  const auto offer = [&](int calls, hale::Duration apart) {
    for (int call = 0; call < calls; ++call) {
      hale::Spawn(Serve(executor, guard, service));
      executor.RunFor(apart);
    }
  };
  offer(500, 20ms);  // little load shows what a call takes
  const int before = service.served();
  offer(12'000, 5ms);
  std::cout << guard.concurrency().limit() << " calls at once\n"  // what the bulkhead keeps to now
            << (service.served() - before) / 60 << " of 200 served a second\n";
}
