#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "hale/base/error.h"

namespace hale::net {

/// A numeric IP address and a port: what a socket is bound or connected to. A name is not one; see
/// `Resolver`. Pure.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< network order; an IPv4 address uses the first four
  std::uint16_t port = 0;
  bool v6 = false;

  /// Reads `127.0.0.1:80` or `[::1]:80`. Fails with kInvalidArgument on a name, a missing or wrong
  /// port, a zone, or anything after it.
  static Result<Address> Parse(std::string_view text);
  static Address Loopback(std::uint16_t port = 0);

  /// The address alone: `127.0.0.1`, `::1`.
  std::string Ip() const;
  /// As Parse reads it.
  std::string Text() const;

  friend auto operator<=>(const Address&, const Address&) = default;
};

/// `host:port` or `[v6]:port` taken apart, without asking whether the host is a name. Pure.
struct HostPort {
  std::string_view host;  ///< without brackets
  std::uint16_t port = 0;
};
Result<HostPort> SplitHostPort(std::string_view text);

}  // namespace hale::net
