#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>

#include "app/commands.h"
#include "app/load_runner.h"

namespace hale::app {
namespace {

constexpr const char* kAbout =
    "Open-loop load: requests are due by the clock, whatever the answers do, and latency counts\n"
    "from the instant a request was due.";
constexpr const char* kFooter =
    "Example:\n"
    "  hale load http://127.0.0.1:8080/orders --rate 2000/s --duration 40s --method POST=10% "
    "--method GET\n\n"
    "Exit codes: 0 all requests succeeded (status below 400, whole and unchanged bodies), 1 some\n"
    "failed, 2 the arguments or the target are wrong, 3 the generator could not keep up, so that\n"
    "the figures describe the generator.";

std::atomic<bool> stopped{false};

/// The arguments as they stand on the command line.
struct Texts {
  std::string url;
  std::string rate = "100/s";
  std::string duration = "10s";
  std::string timeout = "10s";
  std::string body = "64B";
  std::vector<std::string> methods;
  std::vector<std::string> paths;
  bool poisson = false;
};

Result<void> Read(const Texts& texts, LoadOptions& options) {
  const Result<Target> target = ParseTarget(texts.url);
  if (!target) return std::unexpected(target.error());
  options.authority = target->authority;

  const Result<Rate> rate = ParseRate(texts.rate);
  if (!rate) return std::unexpected(rate.error());
  if (rate->permits == 0) return Fail(Code::kInvalidArgument, "--rate: must be above 0");
  options.rate = *rate;
  options.arrivals = texts.poisson ? Arrivals::Kind::kPoisson : Arrivals::Kind::kConstant;

  for (const auto& [text, into] : {std::pair{&texts.duration, &options.duration},
                                   std::pair{&texts.timeout, &options.timeout}}) {
    const Result<Duration> span = ParseDuration(*text);
    if (!span) return std::unexpected(span.error());
    if (*span <= Duration(0)) return Fail(Code::kInvalidArgument, *text + ": must be above 0");
    *into = *span;
  }
  const Result<Size> body = ParseSize(texts.body);
  if (!body) return std::unexpected(body.error());
  options.body_bytes = body->bytes;

  auto methods =
      ParsePortions(texts.methods.empty() ? std::vector<std::string>{"GET"} : texts.methods);
  if (!methods) return std::unexpected(methods.error());
  options.methods = std::move(*methods);
  auto paths =
      ParsePortions(texts.paths.empty() ? std::vector<std::string>{target->path} : texts.paths);
  if (!paths) return std::unexpected(paths.error());
  options.paths = std::move(*paths);
  for (const std::string& header : options.headers) {
    if (header.find(':') == std::string::npos) {
      return Fail(Code::kInvalidArgument, header + ": a header is `name: value`");
    }
  }
  return {};
}

void Declare(CLI::App& app, Texts& texts, LoadOptions& options) {
  app.footer(kFooter);
  app.add_option("url", texts.url, "what to load, such as http://127.0.0.1:8080/orders")
      ->required();
  app.add_option("--rate", texts.rate, "requests that are due: 2000/s, 60/min")
      ->capture_default_str();
  app.add_option("--duration", texts.duration, "how long")->capture_default_str();
  app.add_option("--connections", options.connections, "connections at most")
      ->capture_default_str()
      ->check(CLI::Range(1U, 60'000U));
  app.add_flag("--poisson", texts.poisson, "independent users instead of even gaps");
  app.add_option("--method", texts.methods, "GET, or POST=10% and GET: repeat for a mix")
      ->allow_extra_args(false);
  app.add_option("--path", texts.paths, "instead of the URL's: /small and /big=5% for a mix")
      ->allow_extra_args(false);
  app.add_option("--header", options.headers, "`name: value`, repeatable")->allow_extra_args(false);
  app.add_option("--body", texts.body, "size of the body of a POST, PUT or PATCH")
      ->capture_default_str();
  app.add_option("--timeout", texts.timeout, "of a request, from the instant it is due")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the dice: same seed, same mix")->capture_default_str();
  app.add_option("--slowest", options.slowest, "how many of the slowest to list")
      ->capture_default_str()
      ->check(CLI::Range(0U, 10'000U));
  app.add_option("--failures", options.failures_file,
                 "write a line for each failed request: microseconds since the start, id, method, "
                 "path, status, end, reason, latency in microseconds");
  app.add_flag("--per-second", options.per_second,
               "a row for each second, by when requests were due");
  app.add_flag("--json", options.json, "one JSON object instead of text");
  app.add_flag("--quiet", options.quiet, "no progress line");
}

void StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { stopped.store(true, std::memory_order_relaxed); };
  action.sa_flags = SA_RESETHAND;  // the second one ends the process
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int RunLoad(std::span<const std::string> arguments) {
  CLI::App app(kAbout, "hale load");
  Texts texts;
  LoadOptions options;
  Declare(app, texts, options);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (const Result<void> read = Read(texts, options); !read) {
    std::fprintf(stderr, "hale load: %s\n", read.error().message.c_str());
    return 2;
  }
  options.quiet = options.quiet || isatty(STDERR_FILENO) == 0;

  StopOnSignals();
  LoadReport report(options);
  if (const Result<void> ran = RunLoad(options, report, stopped); !ran) {
    std::fprintf(stderr, "hale load: %s: %s\n", options.authority.c_str(),
                 ran.error().message.c_str());
    return 2;
  }
  const std::string out = options.json ? report.Json() + "\n" : report.Text();
  std::fputs(out.c_str(), stdout);
  if (!report.valid()) return 3;
  return report.failed() > 0 ? 1 : 0;
}

}  // namespace hale::app
