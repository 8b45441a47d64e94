// A database query through a C client that blocks: while another process holds the lock, nothing
// was executed, so the query is made again. Usage: example_guard_sqlite FILE

#include <sqlite3.h>

#include <iostream>
#include <memory>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

hale::Result<int> CountOrders(sqlite3* db, hale::Duration timeout) {
  // A blocking call cannot be cut short: the client itself is told how long it may take.
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  sqlite3_busy_timeout(db, static_cast<int>(most.count()));
  sqlite3_stmt* prepared = nullptr;
  int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM orders", -1, &prepared, nullptr);
  const Statement statement(prepared);
  if (code == SQLITE_OK) code = sqlite3_step(prepared);
  if (code == SQLITE_ROW) return sqlite3_column_int(prepared, 0);
  const bool busy = code == SQLITE_BUSY;
  hale::Error error(busy ? hale::Code::kUnavailable : hale::Code::kInternal, sqlite3_errmsg(db));
  error.executed = hale::Executed::kNo;
  return std::unexpected(error);
}

}  // namespace

int main(int argc, char** argv) {
  sqlite3* opened = nullptr;
  sqlite3_open_v2(argc > 1 ? argv[1] : "shop.db", &opened, SQLITE_OPEN_READONLY, nullptr);
  const Database db(opened);
  hale::Guard guard{{.name = "shop", .deadline = 3s, .per_try = 200ms, .idempotent = true}};
  int attempts = 0;
  const auto orders = guard.Call([&](const hale::Attempt& attempt) {
    attempts = static_cast<int>(attempt.number());
    return CountOrders(db.get(), attempt.remaining());
  });
  std::cout << (orders ? std::to_string(*orders) + " orders" : orders.error().message) << ", "
            << attempts << " attempts\n";
  return orders ? 0 : 1;
}
