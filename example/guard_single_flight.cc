// A hundred coroutines miss the cache at the same moment: one of them asks, all have its answer.

#include <iostream>
#include <string>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// A database that needs 200 ms for a row, and counts how often it is asked.
class Database {
 public:
  explicit Database(hale::Executor& executor) : executor_(executor) {}

  hale::Task<hale::Result<std::string>> operator()() {
    ++asked_;
    const bool slept = co_await hale::Sleep(executor_, 200ms);
    if (!slept) co_return hale::Fail(hale::Code::kCancelled, "stopped");
    co_return "oak, 2 m";
  }
  int asked() const { return asked_; }

 private:
  hale::Executor& executor_;
  int asked_ = 0;
};

using Flights = hale::SingleFlight<std::string>;

hale::Task<void> Serve(hale::Executor& executor, Flights& flights, Database& row, int& served) {
  const auto table = co_await flights.Call(executor, "table/7", row);
  if (table) ++served;
}

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  Flights flights;
  Database row(executor);
  int served = 0;
  for (int i = 0; i < 100; ++i) hale::Spawn(Serve(executor, flights, row, served));
  executor.Run();
  std::cout << served << " served, the database was asked " << row.asked() << " time\n";
}
