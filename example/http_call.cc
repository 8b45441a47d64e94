// An HTTP call in a coroutine: at most three attempts, each cut at 300 ms, a second in all.
// Usage: example_http_call ADDRESS TARGET

#include <iostream>

#include "example/http_get.h"
#include "hale/net/loop.h"

namespace {

using namespace std::chrono_literals;

hale::Task<void> Show(hale::net::Loop& loop, hale::Guard& guard, HttpGet& get) {
  const auto page = co_await guard.CallAsync(loop, get);
  if (page) {
    std::cout << *page << "\n";
  } else {
    std::cout << "no page: reason=" << hale::Word(page.error().reason) << " "
              << page.error().message << "\n";
  }
  std::cout << get.sent << " requests sent\n";
  loop.Stop();
}

}  // namespace

int main(int argc, char** argv) {
  const auto address = hale::net::Address::Parse(argc > 1 ? argv[1] : "127.0.0.1:8080");
  if (!address) {
    std::cerr << address.error().message << "\n";
    return 2;
  }
  hale::net::Loop loop;
  hale::net::ConnectionLimit connections;
  hale::net::ConnectionPool pool(loop, *address, {}, connections);
  hale::Guard guard{{.name = "pages", .deadline = 1s, .per_try = 300ms, .idempotent = true},
                    {.clock = loop.clock()}};
  HttpGet get(pool, argc > 2 ? argv[2] : "/");
  hale::Spawn(Show(loop, guard, get));
  loop.Run();
}
