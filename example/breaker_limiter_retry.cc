// The three together around an HTTP dependency that fails: retries stop when the breaker opens,
// and what the limiter refuses is not tried again. Usage: example_breaker_limiter_retry ADDRESS

#include <iostream>

#include "example/http_get.h"
#include "hale/net/loop.h"

namespace {

using namespace std::chrono_literals;

hale::Task<void> CallTwentyTimes(hale::net::Loop& loop, hale::Guard& guard, HttpGet& get) {
  int while_open = 0;
  int when_limited = 0;
  for (int call = 1; call <= 20; ++call) {
    const int before = get.sent;
    const auto page = co_await guard.CallAsync(loop, get);
    const hale::Reason reason = page ? hale::Reason::kNone : page.error().reason;
    const int sent = get.sent - before;
    std::cout << "call " << call << ": " << sent << " sent, "
              << (reason != hale::Reason::kNone ? hale::Word(reason)
                  : page                        ? "ok"
                                                : page.error().message)
              << "\n";
    if (sent == 0 && reason == hale::Reason::kCircuitOpen) ++while_open;
    if (sent == 0 && reason == hale::Reason::kRateLimited) ++when_limited;
  }
  std::cout << "no retry while open: " << while_open << " calls refused, none sent\n"
            << "limited calls are not retried: " << when_limited << " calls refused, none sent\n"
            << get.sent << " requests sent for 20 calls\n";
  loop.Stop();
}

}  // namespace

int main(int argc, char** argv) {
  const auto address = hale::net::Address::Parse(argc > 1 ? argv[1] : "127.0.0.1:8080");
  if (!address) return 2;
  hale::net::Loop loop;
  hale::net::ConnectionLimit connections;
  hale::net::ConnectionPool pool(loop, *address, {}, connections);
  hale::Guard guard{{.name = "dependency",
                     .limit = {.rate = {20, 1s}, .burst = 8},
                     .breaker = {.consecutive_failures = 5},
                     .retry = {.attempts = 3},
                     .idempotent = true},
                    {.clock = loop.clock()}};
  std::cout << guard.Describe();
  HttpGet get(pool, "/");
  hale::Spawn(CallTwentyTimes(loop, guard, get));
  loop.Run();
}
