#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hale/provider/file/instance_list.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// Whatever is taken is well-formed, whatever is not is named, with the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = hale::provider::file::ParseInstanceList(text, "list.yaml");
  if (!list) {
    Require(list.error().message.starts_with("list.yaml"));
    return 0;
  }
  for (const auto& instance : list->instances) Require(Check(instance).has_value());
  for (const auto& problem : list->malformed) Require(problem.starts_with("list.yaml:"));
  Require(!list->instances.empty() || list->malformed.empty());
  return 0;
}
