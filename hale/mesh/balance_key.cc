#include "hale/mesh/balance_key.h"

#include <algorithm>

#include "hale/policy/client_key.h"
#include "hale/policy/maglev.h"

namespace hale::mesh {
namespace {

std::uint64_t Hash(std::optional<std::string_view> value) {
  if (!value || value->empty()) return 0;
  return std::max<std::uint64_t>(1, policy::MaglevId(*value));
}

}  // namespace

std::optional<std::string_view> FindCookie(const net::Fields& fields, std::string_view name) {
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "cookie")) continue;
    std::string_view rest = line.value;
    while (!rest.empty()) {
      std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      while (pair.ends_with(' ')) pair.remove_suffix(1);
      if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
        return pair.substr(name.size() + 1);
      }
    }
  }
  return std::nullopt;
}

std::uint64_t AffinityOf(std::string_view key, const net::Fields& fields,
                         std::string_view client_ip) {
  const auto parsed = ParseBalanceKey(key);
  if (!parsed) return 0;
  switch (parsed->kind) {
    case BalanceKey::Kind::kClientIp:
      return client_ip.empty() ? 0 : Hash(policy::ClientKey(client_ip).view());
    case BalanceKey::Kind::kHeader:
      return Hash(fields.Find(parsed->name));
    case BalanceKey::Kind::kCookie:
      break;
  }
  return Hash(FindCookie(fields, parsed->name));
}

}  // namespace hale::mesh
