#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "app/body_checksum.h"
#include "app/commands.h"
#include "hale/base/wait.h"
#include "hale/host/app.h"
#include "hale/host/worker.h"

namespace hale::app {
namespace {

struct Options {
  std::uint16_t port = 0;
  std::string name = "backend";
  std::string log;
};

std::string DocumentFor(const Options& options) {
  return "node: {service: " + options.name + ", loops: 1}\n" +
         "listen: [{address: \"127.0.0.1:" + std::to_string(options.port) + "\", trust: mesh}]\n" +
         "admin: {address: \"\"}\n" +
         "telemetry: {access_log: \"off\"}\ndrain: {wait: 0s, timeout: 5s}\nlog: {level: warn}\n";
}

/// A line for each request that is executed, written before it is answered: what the test of "no
/// POST twice" reads. A write of a short line to a file does not block a loop for long.
class ExecutionLog {
 public:
  explicit ExecutionLog(const std::string& path)
      : file_(path.empty() ? -1
                           : open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  ~ExecutionLog() {
    if (file_ >= 0) close(file_);
  }
  ExecutionLog(const ExecutionLog&) = delete;
  ExecutionLog& operator=(const ExecutionLog&) = delete;

  void Write(const host::Request& request) const {
    if (file_ < 0 || request.header(kIdHeader).empty()) return;
    const std::string line = request.method() + " " + std::string(request.header(kIdHeader)) + "\n";
    static_cast<void>(!write(file_, line.data(), line.size()));
  }

 private:
  int file_;
};

host::Response Checked(std::string body, const std::string& name) {
  BodyChecksum checksum;
  checksum.Add(body);
  host::Response response = host::Text(std::move(body));
  response.head.fields.Append(kChecksumHeader, checksum.Hex());
  response.head.fields.Append("x-backend", name);
  return response;
}

std::string Pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

/// What the demo's backend does, and how slow it has been told to be.
class Backend {
 public:
  Backend(const Options& options, host::App& app)
      : options_(options), app_(app), log_(options.log) {
    const auto plain = [this](host::Request request) { return Answer(std::move(request), 200); };
    const auto big = [this](host::Request request) {
      return Answer(std::move(request), std::size_t{1} << 20);
    };
    app_.Get("/big", big);
    app_.Post("/slow/{ms}", [this](host::Request request) { return SetDelay(std::move(request)); });
    app_.Get("/", plain);
    app_.Post("/", plain);
    app_.Get("/{any}", plain);
    app_.Post("/{any}", plain);
  }

 private:
  Task<host::Response> Answer(host::Request request, std::size_t size) {
    log_.Write(request);
    const std::int64_t delay = delay_ms_.load(std::memory_order_relaxed);
    if (delay > 0) {
      net::Loop& loop = host::Worker::CurrentPools()->loop();
      co_await Sleep(loop, std::chrono::milliseconds(delay));
    }
    co_return Checked(size == small_.size() ? small_ : big_, options_.name);
  }

  Task<host::Response> SetDelay(host::Request request) {
    delay_ms_.store(std::strtol(request.path("ms").c_str(), nullptr, 10),
                    std::memory_order_relaxed);
    co_return host::Text("slow by " + request.path("ms") + " ms\n");
  }

  const Options& options_;
  host::App& app_;
  ExecutionLog log_;
  const std::string small_ = Pattern(200);
  const std::string big_ = Pattern(std::size_t{1} << 20);
  std::atomic<std::int64_t> delay_ms_{0};
};

}  // namespace

int RunDemoBackend(std::span<const std::string> arguments) {
  CLI::App cli(
      "A backend to play with: / answers 200 bytes, /big 1 MiB, both with a checksum; "
      "POST /slow/MS makes it answer that much later.",
      "hale demo-backend");
  Options options;
  cli.add_option("--port", options.port, "Where it listens, on loopback")->required();
  cli.add_option("--name", options.name, "What it calls itself in `x-backend`");
  cli.add_option("--log", options.log, "A file that gets a line for each request executed");
  cli.footer("Example:\n  hale demo-backend --port 9001 --name a");
  try {
    cli.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  host::App app(DocumentFor(options));
  const Backend backend(options, app);
  return app.Run();
}

}  // namespace hale::app
