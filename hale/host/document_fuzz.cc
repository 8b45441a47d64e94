#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "hale/config/print.h"
#include "hale/config/text.h"
#include "hale/host/document.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// Any bytes: problems are bounded, have a place in the text and are text; a document without errors
// reads back from its own dump.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hale::config::Surroundings none{
      [](const std::string&) -> std::optional<std::string> { return std::nullopt; },
      [](const std::string&) -> hale::Result<std::string> {
        return hale::Fail(hale::Code::kNotFound, "none");
      }};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = hale::host::ParseDocument(text, "f", none);
  Require(parsed.problems.size() <= hale::config::kMaxProblems);
  const int lines = hale::config::PositionOf(text, text.size()).line;
  for (const auto& problem : parsed.problems) {
    Require(!problem.message.empty() && problem.at.line <= lines);
    Require(!hale::config::FirstNotText(Print(problem)));
  }
  if (!parsed.ok()) return 0;
  const auto again = hale::host::ParseDocument(hale::config::Dump(parsed.value), "f", none);
  Require(again.ok() && hale::config::Diff(parsed.value, again.value).empty());
  return 0;
}
