#include "app/demo_document.h"

#include <fmt/format.h>

#include <string_view>

namespace hale::app {
namespace {

constexpr std::string_view kHead = R"(node:   {{service: demo}}
listen: [{{address: "127.0.0.1:{}", trust: edge}}]
admin:  {{address: "127.0.0.1:{}"}}
telemetry: {{access_log: "{}"}}
drain:  {{wait: 0s, timeout: 3s}}
log:    {{level: info}}
)";

// What is not said here has its default.
constexpr std::string_view kGoverned = R"(services:
  shop:
    instances: {{static: [{}]}}
    health:    {{path: /ready, interval: 500ms, timeout: 500ms}}
    retry:     {{attempts: 3, budget: 10%}}
routes:
  - name: shop
    service: shop
    deadline: 2s
    limit: [{{rate: {}/s, by: "header:x-user-id"}}, {{rate: 10000/s, by: client_ip}}]
)";

constexpr std::string_view kBare = R"(services:
  shop:
    instances: {{static: [{}]}}
    health:    {{kind: "off"}}
    balance:   {{kind: round_robin, slow_start: 0s}}
    breaker:   {{mode: "off"}}
    retry:     {{mode: "off", attempts: 1, budget: {{mode: "off"}}}}
    bulkhead:  {{mode: "off"}}
    outlier:   {{mode: "off"}}
    stall:     {{mode: "off"}}
routes:
  - name: shop
    service: shop
    deadline: 2s
)";

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

}  // namespace

std::string DemoDocument(const DemoPlaces& places) {
  std::string instances;
  for (const std::uint16_t port : places.backends) {
    instances += fmt::format("{}\"127.0.0.1:{}\"", instances.empty() ? "" : ", ", port);
  }
  return fmt::format(kHead, places.port, places.admin, places.access_log) +
         (places.policies ? fmt::format(kGoverned, instances, kDemoLimit)
                          : fmt::format(kBare, instances));
}

std::string WithTypo(std::string document) {
  return Replaced(std::move(document), "deadline:", "deadlime:");
}

std::string WithTwiceTheLimit(std::string document) {
  return Replaced(std::move(document), fmt::format("rate: {}/s", kDemoLimit),
                  fmt::format("rate: {}/s", 2 * kDemoLimit));
}

}  // namespace hale::app
