#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hale/net/http_head.h"

namespace hale::mesh {

/// What calls are told apart by when each is to stay with its instance.
struct BalanceKey {
  enum class Kind : std::uint8_t {
    kClientIp,  ///< one client address, see policy::ClientKey
    kHeader,    ///< the value of a header
    kCookie,    ///< the value of a cookie (RFC 6265)
  };
  Kind kind = Kind::kClientIp;
  std::string_view name = {};  ///< of header or cookie; a part of what was parsed
};

/// Reads `client_ip`, `header:x-user-id` or `cookie:session`. Pure.
constexpr std::optional<BalanceKey> ParseBalanceKey(std::string_view text) {
  constexpr std::string_view kHeader = "header:";
  constexpr std::string_view kCookie = "cookie:";
  if (text == "client_ip") return BalanceKey{};
  if (text.starts_with(kHeader) && text.size() > kHeader.size()) {
    return BalanceKey{BalanceKey::Kind::kHeader, text.substr(kHeader.size())};
  }
  if (text.starts_with(kCookie) && text.size() > kCookie.size()) {
    return BalanceKey{BalanceKey::Kind::kCookie, text.substr(kCookie.size())};
  }
  return std::nullopt;
}

/// The value of a cookie in a request, as it stands there; nothing when it has none. Pure.
std::optional<std::string_view> FindCookie(const net::Fields& fields, std::string_view name);

/// What a request's key is in a policy::MaglevTable; 0: it has none. `key` is as in the document.
/// Pure.
std::uint64_t AffinityOf(std::string_view key, const net::Fields& fields,
                         std::string_view client_ip);

}  // namespace hale::mesh
