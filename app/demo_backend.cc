#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>

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

std::string Pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

/// A body that never changes, with what tells that it is the same on every backend.
struct Document {
  explicit Document(std::size_t size) : body(Pattern(size)) {
    BodyChecksum sum;
    sum.Add(body);
    checksum = sum.Hex();
    tag = "\"" + checksum + "\"";
  }
  std::string body;
  std::string checksum;
  std::string tag;
};

/// `bytes=N-` of this document, or nothing (RFC 9110 §14.2: what is not understood is ignored).
std::optional<std::size_t> From(const host::Request& request, const Document& document) {
  constexpr std::string_view kUnit = "bytes=";
  const std::string_view range = request.header("range");
  if (!range.starts_with(kUnit) || !range.ends_with('-')) return std::nullopt;
  const std::string_view condition = request.header("if-range");
  if (!condition.empty() && condition != document.tag) return std::nullopt;
  const std::string_view digits = range.substr(kUnit.size(), range.size() - kUnit.size() - 1);
  std::size_t from = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), from);
  const bool read = error == std::errc() && end == digits.data() + digits.size();
  return read && from < document.body.size() ? std::optional(from) : std::nullopt;
}

host::Response Send(const Document& document, const host::Request& request) {
  const auto from = From(request, document);
  host::Response response = host::Text(document.body.substr(from.value_or(0)));
  net::Fields& fields = response.head.fields;
  if (from) {
    const std::size_t size = document.body.size();
    response.head.status = 206;
    fields.Append("Content-Range", "bytes " + std::to_string(*from) + "-" +
                                       std::to_string(size - 1) + "/" + std::to_string(size));
  } else {
    fields.Append(kChecksumHeader, document.checksum);
  }
  fields.Append("ETag", document.tag);
  return response;
}

/// What the demo's backend does, and how slow it has been told to be.
class Backend {
 public:
  Backend(const Options& options, host::App& app)
      : options_(options), app_(app), log_(options.log) {
    const auto plain = [this](host::Request request) { return Answer(std::move(request), small_); };
    const auto big = [this](host::Request request) { return Answer(std::move(request), big_); };
    app_.Get("/big", big);
    app_.Post("/slow/{ms}", [this](host::Request request) { return SetDelay(std::move(request)); });
    app_.Get("/", plain);
    app_.Post("/", plain);
    app_.Get("/{any}", plain);
    app_.Post("/{any}", plain);
  }

 private:
  Task<host::Response> Answer(host::Request request, const Document& document) {
    log_.Write(request);
    const std::int64_t delay = delay_ms_.load(std::memory_order_relaxed);
    if (delay > 0) {
      net::Loop& loop = host::Worker::CurrentPools()->loop();
      co_await Sleep(loop, std::chrono::milliseconds(delay));
    }
    host::Response response = Send(document, request);
    response.head.fields.Append("x-backend", options_.name);
    co_return response;
  }

  Task<host::Response> SetDelay(host::Request request) {
    delay_ms_.store(std::strtol(request.path("ms").c_str(), nullptr, 10),
                    std::memory_order_relaxed);
    co_return host::Text("slow by " + request.path("ms") + " ms\n");
  }

  const Options& options_;
  host::App& app_;
  ExecutionLog log_;
  const Document small_{200};
  const Document big_{std::size_t{1} << 20};
  std::atomic<std::int64_t> delay_ms_{0};
};

}  // namespace

int RunDemoBackend(std::span<const std::string> arguments) {
  CLI::App cli(
      "A backend to play with: / answers 200 bytes, /big 1 MiB, both with a checksum and in part "
      "if asked (Range: bytes=N-); "
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
