#include "app/demo_load.h"

#include <array>
#include <string_view>

#include "app/load_runner.h"

namespace hale::app {
namespace {

constexpr std::array<std::string_view, 4> kUsers{"ann", "ben", "cleo", "dan"};
constexpr std::uint64_t kUserRate = 125;    // half of what one may
constexpr std::uint64_t kFloodRate = 2000;  // eight times what one may
constexpr Duration kPatience = 3s;          // above the route's deadline: the gateway answers first

LoadOptions OptionsOf(const DemoLoad::Options& options, std::string_view name, std::uint64_t rate) {
  LoadOptions load;
  load.authority = "127.0.0.1:" + std::to_string(options.port);
  load.rate = {.permits = rate};
  load.duration = options.length;
  load.arrivals = Arrivals::Kind::kPoisson;
  load.methods = {{.what = "GET", .share = 1}};
  load.paths = {{.what = "/", .share = 0.98}, {.what = "/big", .share = 0.02}};
  load.headers = {"x-user-id: " + std::string(name)};
  load.timeout = kPatience;
  load.seed = std::hash<std::string_view>()(name);
  load.quiet = true;
  return load;
}

}  // namespace

DemoLoad::DemoLoad(const Options& options, const std::atomic<bool>& stop) {
  for (const std::string_view name : kUsers) {
    callers_.emplace_back(OptionsOf(options, name, kUserRate));
  }
  if (options.flood) {
    LoadOptions flood = OptionsOf(options, "flooder", kFloodRate);
    flood.paths = {{.what = "/", .share = 1}};
    flood.arrivals = Arrivals::Kind::kConstant;
    callers_.emplace_back(flood).floods = true;
  }
  for (Caller& caller : callers_) {
    caller.thread = std::thread(
        [&caller, &stop] { static_cast<void>(RunLoad(caller.options, caller.report, stop)); });
  }
}

DemoLoad::~DemoLoad() { Join(); }

void DemoLoad::Join() {
  for (Caller& caller : callers_) {
    if (caller.thread.joinable()) caller.thread.join();
  }
}

void DemoLoad::Finish(DemoRow& row) {
  Join();
  for (const Caller& caller : callers_) {
    (caller.floods ? row.flooder : row.users)
        .Add({.requests = caller.report.sent(),
              .failed = caller.report.failed(),
              .slowest = caller.report.slowest()});
  }
}

}  // namespace hale::app
