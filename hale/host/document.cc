#include "hale/host/document.h"

#include <limits.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "hale/config/origins.h"
#include "hale/config/problem.h"
#include "hale/host/document_rules.h"
#include "hale/host/lint.h"

namespace hale::host {

std::string NodeId(const NodeOptions& node) {
  if (!node.id.empty()) return node.id;
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size()) == 0 ? name.data() : "";
}

std::vector<std::string> StartSections() {
  return {"node", "listen", "admin", "config", "telemetry"};
}

config::Parsed<Document> ParseDocument(std::string_view text, const std::string& file,
                                       const config::Surroundings& surroundings) {
  auto parsed = config::Read<Document>(text, file, surroundings);
  config::Findings findings(parsed.origins, parsed.problems);
  Validate(parsed.value, findings);
  if (parsed.ok()) Lint(parsed.value, findings);
  parsed.problems = config::Tidy(std::move(parsed.problems));
  return parsed;
}

}  // namespace hale::host
