// One call, guarded: at most three attempts, two seconds in all, and none while the ledger is down.

#include <iostream>
#include <string>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

struct Order {
  int id = 0;
  int cents = 0;
};

// Stands for a client library that blocks. The ledger is restarting: it refuses the first two
// connections, so that nothing was executed and the call may be made again.
hale::Result<std::string> Charge(const Order& order, hale::Duration timeout) {
  static int connects = 0;
  if (timeout <= 0s) return hale::Fail(hale::Code::kDeadlineExceeded, "too late");
  if (++connects <= 2) return hale::Fail(hale::Reason::kUpstreamConnect, hale::Executed::kNo);
  return "receipt for " + std::to_string(order.cents) + " cents";
}

}  // namespace

int main() {
  const Order order{.id = 7, .cents = 1250};

  hale::Guard ledger{{.breaker = {.failure_rate = 0.6, .minimum_calls = 10},
                      .retry = {.attempts = 3},
                      .deadline = 2s}};
  auto receipt =
      ledger.Call([&](const hale::Attempt& attempt) { return Charge(order, attempt.remaining()); });
  if (!receipt) {
    std::cerr << "charge failed: reason=" << hale::Word(receipt.error().reason)
              << " order_id=" << order.id << "\n";
    return 1;
  }
  std::cout << *receipt << "\n";
}
