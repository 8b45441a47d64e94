#include "app/demo_callers.h"

#include <array>
#include <functional>
#include <string>
#include <string_view>

namespace hale::app {
namespace {

constexpr std::array<std::string_view, 4> kUsers{"ann", "ben", "cleo", "dan"};
constexpr std::uint64_t kUserRate = 125;    // half of what one may
constexpr std::uint64_t kFloodRate = 2000;  // eight times what one may
constexpr Duration kPatience = 3s;          // above the route's deadline: the gateway answers first

LoadOptions OptionsOf(const DemoLoadOptions& options, std::string_view name, std::uint64_t rate) {
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

std::vector<DemoCaller> DemoCallers(const DemoLoadOptions& options) {
  std::vector<DemoCaller> callers;
  for (const std::string_view name : kUsers) {
    callers.push_back({.load = OptionsOf(options, name, kUserRate)});
  }
  if (options.flood) {
    LoadOptions flood = OptionsOf(options, "flooder", kFloodRate);
    flood.paths = {{.what = "/", .share = 1}};
    flood.arrivals = Arrivals::Kind::kConstant;
    callers.push_back({.load = std::move(flood), .floods = true});
  }
  return callers;
}

}  // namespace hale::app
