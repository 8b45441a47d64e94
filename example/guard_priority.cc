// A shop is asked for nearly twice what it can do: the orders go first, a tenant's exports have
// their share whatever the others do, and all other exports get what is left.

#include <iostream>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;
using hale::policy::Priority;

// 40 ms a call.
struct Shop {
  hale::Executor& executor;
  hale::Task<hale::Result<int>> operator()(const hale::Attempt&) {
    const bool slept = co_await hale::Sleep(executor, 40ms);
    co_return slept ? 1 : 0;
  }
};

hale::Task<void> Ask(hale::Guard& guard, Shop& shop, hale::Caller caller, int& served) {
  const auto answer = co_await guard.CallAsync(shop.executor, shop, caller);
  served += answer ? 1 : 0;
}

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  Shop shop{executor};
  hale::Guard guard{{.bulkhead = {.limit = 4,
                                  .queue = 8,
                                  .partitions = {.by = "call", .shares = {{"acme", 0.25}}}}},
                    {.clock = executor.clock()}};
  const hale::Caller order;  // critical, if nobody says anything
  const hale::Caller tenant{.priority = Priority::kSheddable, .partition = "acme"};
  const hale::Caller exporting{.priority = Priority::kSheddable};
  int orders = 0;
  int of_tenant = 0;
  int exported = 0;
  for (int i = 0; i < 1000; ++i) {  // every 20 ms one of each kind, and a second export
    hale::Spawn(Ask(guard, shop, order, orders));
    hale::Spawn(Ask(guard, shop, exporting, exported));
    hale::Spawn(Ask(guard, shop, exporting, exported));
    if (i % 2 == 0) hale::Spawn(Ask(guard, shop, tenant, of_tenant));
    executor.RunFor(20ms);
  }
  std::cout << orders << " of 1000 orders, " << of_tenant << " of 500 of the tenant's exports, "
            << exported << " of 2000 others\n";
}
