// A page asks a database, and needs time to be rendered afterwards: the query gets what is left of
// the page's deadline, less that; one that cannot be answered in time is not made at all.

#include <iostream>
#include <string>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// Stands for a client that blocks, and needs 40 ms for a query.
class Database {
 public:
  explicit Database(hale::SimClock& clock) : clock_(clock) {}

  hale::Result<std::string> operator()(const hale::Attempt& attempt) {
    given_ = attempt.remaining();
    ++queries_;
    clock_.Advance(40ms);
    return "rows";
  }
  hale::Duration given() const { return given_; }
  int queries() const { return queries_; }

 private:
  hale::SimClock& clock_;
  hale::Duration given_{0};
  int queries_ = 0;
};

}  // namespace

int main() {
  hale::SimClock clock;  // virtual time
  Database query(clock);
  hale::Guard page{{.deadline = 300ms}, {.clock = clock}};
  hale::Guard database{{.retry = {.mode = hale::policy::Mode::kOff},
                        .in_time = {.mode = hale::policy::Mode::kEnforce}},
                       {.clock = clock}};
  const auto render = [&](const hale::Attempt& attempt) {
    return database.Call(query, {.within = attempt.ForChild({.reserve = 50ms})});
  };
  for (int i = 0; i < 200; ++i) (void)page.Call(render);
  std::cout << query.queries() << " queries, each with " << query.given() / 1ms << " of 300 ms\n";

  const auto late = page.Call(render, {.within = 80ms});  // 30 ms are left for the query
  std::cout << "one with 30 ms: " << hale::Word(late.error().reason) << ", "
            << query.queries() - 200 << " sent\n";
}
