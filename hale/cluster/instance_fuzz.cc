#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hale/cluster/instance.h"

namespace {

using namespace std::string_view_literals;
constexpr std::string_view kNever = " \r\n\t\0/@?#\\\"'%"sv;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// An address that is taken has a host and a port, nothing that could end a header line or a path,
// and one spelling of its port.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto checked = hale::cluster::CheckAddress(text);
  if (!checked) {
    Require(!checked.error().message.empty() && checked.error().message.size() < 200);
    return 0;
  }
  const std::size_t colon = text.rfind(':');
  const int port = std::stoi(std::string(text.substr(colon + 1)));
  Require(colon > 0 && port >= 1 && port <= 65535);
  Require(std::to_string(port) == text.substr(colon + 1));
  Require(text.find_first_of(kNever) == std::string_view::npos);
  return 0;
}
