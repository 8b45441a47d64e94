#include "hale/host/names.h"

#include <fmt/format.h>

#include <vector>

#include "hale/config/text.h"

namespace hale::host {

std::string NameOf(const mesh::RouteOptions& route) {
  return route.name.empty() ? route.match.path : route.name;
}

std::string UnknownService(const Document& document, std::string_view name,
                           std::string_view besides) {
  std::vector<std::string_view> names;
  for (const auto& [service, options] : document.services) {
    if (service != besides) names.push_back(service);
  }
  std::string message = "no service " + config::Quote(name);
  const auto near = config::Nearest(name, names);
  if (!near.empty()) {
    message += ", did you mean " + std::string(near) + "?";
  } else if (names.empty()) {
    message += document.services.empty() ? ": there are no services" : ": there is no other";
  } else if (names.size() <= 8) {
    message += fmt::format(", there are {}", fmt::join(names, ", "));
  }
  return message;
}

}  // namespace hale::host
