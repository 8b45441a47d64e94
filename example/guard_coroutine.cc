// The same pipeline around a coroutine: an attempt that takes too long is stopped, not waited for.

#include <iostream>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// A lookup that hangs the first time and is quick the second time.
class Lookup {
 public:
  explicit Lookup(hale::Executor& executor) : executor_(executor) {}

  hale::Task<hale::Result<int>> operator()(const hale::Attempt& attempt) {
    const hale::Duration takes = attempt.number() == 1 ? hale::Duration(1h) : 20ms;
    const bool slept = co_await hale::Sleep(executor_, takes);
    if (!slept) co_return hale::Fail(hale::Code::kCancelled, "stopped");
    co_return 42;
  }

 private:
  hale::Executor& executor_;
};

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  hale::Guard catalog{{.deadline = 3s, .per_try = 500ms, .idempotent = true},
                      {.clock = executor.clock()}};
  Lookup lookup(executor);
  const hale::TimePoint start = executor.Now();
  const auto price = executor.Wait(catalog.CallAsync(executor, lookup));
  const double seconds = hale::Seconds(executor.Now() - start);
  if (!price) {
    std::cerr << hale::Word(price.error().reason) << " after " << seconds << " s\n";
    return 1;
  }
  std::cout << *price << " after " << seconds << " s\n";
}
