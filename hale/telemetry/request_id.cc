#include "hale/telemetry/request_id.h"

#include <algorithm>
#include <span>

#include "hale/telemetry/hex.h"

namespace hale::telemetry {
namespace {

constexpr auto kAllowed = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-_.:+/=@")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

}  // namespace

bool ValidRequestId(std::string_view id) {
  if (id.empty() || id.size() > kMaxRequestId) return false;
  return std::ranges::all_of(id, [](char c) { return kAllowed[static_cast<unsigned char>(c)]; });
}

std::array<char, 32> NewRequestId(Random& random) {
  std::array<char, 32> id;
  const std::span<char> out(id);
  WriteHex(random.Next(), out.subspan<0, 16>());
  WriteHex(random.Next(), out.subspan<16, 16>());
  return id;
}

}  // namespace hale::telemetry
