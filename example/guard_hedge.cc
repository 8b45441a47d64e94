// One search in 150 meets an instance that is slow by chance: it is made a second time, and the
// first answer wins.

#include <algorithm>
#include <iostream>
#include <string>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

hale::Task<hale::Result<std::string>> Find(hale::Executor& executor, int query, bool unlucky) {
  const bool slept = co_await hale::Sleep(executor, unlucky ? 2s : 10ms);
  if (!slept) co_return hale::Fail(hale::Code::kCancelled, "stopped");
  co_return "found " + std::to_string(query);
}

hale::Task<void> Search(hale::Executor& executor) {
  hale::AsyncGuard search{{.hedge = {.mode = hale::policy::Mode::kEnforce}, .idempotent = true},
                          {.clock = executor.clock()}};
  hale::Duration slowest{0};
  for (int query = 1; query <= 1000; ++query) {
    const hale::TimePoint start = executor.Now();
    const auto found =
        co_await search.CallAsync(executor, [&executor, query](const hale::Attempt& attempt) {
          return Find(executor, query, query % 150 == 0 && attempt.number() == 1);
        });
    if (found) slowest = std::max(slowest, executor.Now() - start);
  }
  std::cout << search.hedge().sent() << " of 1000 searches made twice, " << search.hedge().won()
            << " won by the second; the slowest took " << hale::Seconds(slowest) << " s\n";
}

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  hale::Spawn(Search(executor));
  executor.Run();
}
