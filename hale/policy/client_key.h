#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hale::policy {

/// Under which key a client address is limited: an IPv4 address as it is, an IPv6 address by its
/// /64, since that is what one subscriber gets (RFC 6177), an IPv4-mapped one as IPv4. Whatever is
/// no address is the one key `?`. A value.
class ClientKey {
 public:
  /// `address`: `192.0.2.1`, `2001:db8::1`, with or without a port, brackets or a zone. Pure.
  explicit ClientKey(std::string_view address);

  /// `192.0.2.1`, `2001:db8:0:1::/64` or `?`.
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 52> text_{};
  std::uint8_t size_ = 0;
};

}  // namespace hale::policy
