// What the bytes of one request cost without the kernel, and with it: allocations are counted.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "bench/allocations.h"
#include "hale/net/http1_parser.h"
#include "hale/net/http1_scanner.h"
#include "hale/net/http1_writer.h"
#include "hale/net/http_client.h"
#include "hale/net/http_server.h"

namespace hale::net {
namespace {

constexpr std::string_view kRequest =
    "GET /orders/1234567?fields=all HTTP/1.1\r\n"
    "Host: orders.internal:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
    "x-request-id: 7f3c8a52-9d41-4f0e-8a77-0c5d2b1e9f10\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Date: Wed, 25 Nov 2026 03:21:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 200\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void BM_ParseRequest(benchmark::State& state) {
  RequestHead head;
  if (!ParseRequestHead(kRequest, {}, head)) std::abort();
  const bench::Allocations allocations(state);
  for (auto _ : state) {
    HeadScanner scanner(HeadScanner::Of::kRequest, {});
    const auto size = scanner.Scan(kRequest);
    benchmark::DoNotOptimize(ParseRequestHead(kRequest.substr(0, *size), {}, head));
  }
}
BENCHMARK(BM_ParseRequest);

void BM_ParseResponse(benchmark::State& state) {
  ResponseHead head;
  if (!ParseResponseHead(kResponse, "GET", head)) std::abort();
  const bench::Allocations allocations(state);
  for (auto _ : state) {
    HeadScanner scanner(HeadScanner::Of::kResponse, {});
    const auto size = scanner.Scan(kResponse);
    benchmark::DoNotOptimize(ParseResponseHead(kResponse.substr(0, *size), "GET", head));
  }
}
BENCHMARK(BM_ParseResponse);

void BM_RemoveHopByHopAndWriteRequest(benchmark::State& state) {
  RequestHead parsed;
  if (!ParseRequestHead(kRequest, {}, parsed)) std::abort();
  RequestHead head = parsed;
  std::string out;
  out.reserve(1024);
  const bench::Allocations allocations(state);
  for (auto _ : state) {
    head.fields = parsed.fields;
    RemoveHopByHop(head.fields);
    out.clear();
    AppendRequestHead(out, head, head.framing);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_RemoveHopByHopAndWriteRequest);

class Hello final : public RequestHandler {
 public:
  Task<void> Handle(ServerExchange& exchange) override {
    (void)co_await exchange.RespondWhole(head_, body_);
  }

 private:
  ResponseHead head_;
  std::string body_ = std::string(200, 'x');
};

Task<void> Call(ConnectionPool& pool, const RequestHead& head) {
  auto exchange = co_await pool.Open(OpenOptions());
  if (!exchange) std::abort();
  exchange->SendHead(head, Framing());
  if (!co_await exchange->FinishBody()) std::abort();
  if (!co_await exchange->ReadHead()) std::abort();
  while (!exchange->body_complete()) {
    if (!co_await exchange->ReadBody()) std::abort();
  }
}

Task<void> CallInTurn(Loop& loop, ConnectionPool& pool, benchmark::State& state) {
  RequestHead head;
  if (!ParseRequestHead(kRequest, {}, head)) std::abort();
  for (int i = 0; i < 1000; ++i) co_await Call(pool, head);  // pools and buffers fill
  const bench::Allocations allocations(state);
  for (auto _ : state) co_await Call(pool, head);
  loop.Stop();
}

// Client and server on one loop over loopback: two sends, two receives, two waits.
void BM_ExchangeOverLoopback(benchmark::State& state) {
  Loop loop;
  Hello hello;
  ConnectionLimit limit;
  {
    HttpServer server(loop, {}, hello);
    const auto address = server.Listen(Address::Loopback());
    if (!address) std::abort();
    ConnectionPool pool(loop, *address, {}, limit);
    Spawn(CallInTurn(loop, pool, state));
    loop.Run();
  }
  loop.Post([&] { loop.Stop(); });
  loop.Run();
}
BENCHMARK(BM_ExchangeOverLoopback);

}  // namespace
}  // namespace hale::net
