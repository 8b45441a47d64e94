#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "hale/config/text.h"
#include "hale/host/lint.h"
#include "hale/net/fields.h"

namespace hale::host {
namespace {

bool CoversHost(std::string_view wide, std::string_view narrow) {
  if (wide.empty() || net::EqualsIgnoringCase(wide, narrow)) return true;
  if (!wide.starts_with("*.")) return false;
  const std::string_view suffix = wide.substr(1);  // `.example.com`, also of `*.a.example.com`
  return narrow.size() > suffix.size() &&
         net::EqualsIgnoringCase(narrow.substr(narrow.size() - suffix.size()), suffix);
}

bool CoversPath(std::string_view wide, std::string_view narrow) {
  if (wide == narrow) return true;
  if (!wide.ends_with('/')) return false;
  return narrow.starts_with(wide) || narrow == wide.substr(0, wide.size() - 1);
}

// Each request that `narrow` takes is taken by `wide`.
bool Covers(const mesh::MatchOptions& wide, const mesh::MatchOptions& narrow) {
  if (!CoversHost(wide.host, narrow.host) || !CoversPath(wide.path, narrow.path)) return false;
  const auto takes = [&](const std::string& method) {
    return std::find(wide.method.begin(), wide.method.end(), method) != wide.method.end();
  };
  if (!wide.method.empty() &&
      (narrow.method.empty() || !std::all_of(narrow.method.begin(), narrow.method.end(), takes))) {
    return false;
  }
  return std::all_of(wide.header.begin(), wide.header.end(), [&](const auto& needed) {
    return std::any_of(narrow.header.begin(), narrow.header.end(), [&](const auto& given) {
      return net::EqualsIgnoringCase(needed.first, given.first) &&
             (needed.second == "*" || needed.second == given.second);
    });
  });
}

}  // namespace

void LintShadowed(const Document& document, config::Findings& findings) {
  // Quadratic in the routes, so bounded: nobody reads a thousand warnings.
  constexpr std::size_t kMost = 2000;
  const auto& routes = document.routes;
  for (std::size_t later = 1; later < std::min(routes.size(), kMost); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!Covers(routes[earlier].match, routes[later].match)) continue;
      const std::string path = config::JoinIndex("routes", later);
      findings.Warn(
          config::JoinKey(path, "match"),
          fmt::format("never reached: routes[{}] (line {}) comes first and takes all of "
                      "its requests",
                      earlier, findings.origins().At(fmt::format("routes[{}]", earlier)).line));
      break;
    }
  }
}

}  // namespace hale::host
