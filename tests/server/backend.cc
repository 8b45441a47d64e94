// The backend of the scenarios: small and large answers with a checksum, and a line in a log for
// each request that it executes, written before the answer so that a kill cannot hide it.
//   test_backend PORT LOG
//   GET|POST|...  /       200 bytes
//                 /big    1 MiB
//                 /ready  200
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "app/body_checksum.h"
#include "hale/base/random.h"
#include "hale/net/http_server.h"
#include "hale/net/loop.h"

namespace hale {
namespace {

struct Answer {
  explicit Answer(std::size_t size) : body(size, ' ') {
    SeededRandom random(size);
    for (char& byte : body) byte = static_cast<char>('a' + random.Below(26));
    app::BodyChecksum sum;
    sum.Add(body);
    head.fields.Append("content-type", "text/plain");
    head.fields.Append(app::kChecksumHeader, sum.Hex());
  }
  net::ResponseHead head;
  std::string body;
};

class Backend final : public net::RequestHandler {
 public:
  explicit Backend(const char* log)
      : log_(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}

  Task<void> Handle(net::ServerExchange& exchange) override {
    while (!exchange.body_complete()) {
      const auto piece = co_await exchange.ReadBody();
      if (!piece) co_return;
      if (piece->empty()) break;
    }
    const net::RequestHead& request = exchange.request();
    if (request.path() != "/ready") Log(request);
    const Answer& answer = request.path() == "/big" ? big_ : small_;
    (void)co_await exchange.RespondWhole(answer.head, answer.body);
  }

 private:
  void Log(const net::RequestHead& request) {
    const std::string id(request.fields.Find(app::kIdHeader).value_or("-"));
    const std::string line = request.method + " " + id + "\n";
    // One call, so that lines of several writers do not mix and what is written stays.
    if (write(log_, line.data(), line.size()) < 0) std::perror("log");
  }

  const int log_;
  const Answer small_{200};
  const Answer big_{std::size_t{1} << 20};
};

int Main(std::uint16_t port, const char* log) {
  signal(SIGPIPE, SIG_IGN);
  net::Loop loop;
  Backend backend(log);
  net::ServerOptions options;
  net::HttpServer server(loop, options, backend);
  loop.Post([&] {
    if (const auto address = server.Listen(net::Address::Loopback(port)); !address) {
      std::fprintf(stderr, "test_backend: %s\n", address.error().message.c_str());
      loop.Stop();
    }
  });
  loop.Run();
  return 1;
}

}  // namespace
}  // namespace hale

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  if (argc != 3 ||
      std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port).ec != std::errc()) {
    std::fputs("usage: test_backend PORT LOG\n", stderr);
    return 2;
  }
  return hale::Main(port, argv[2]);
}
