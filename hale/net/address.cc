#include "hale/net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hale::net {

Result<HostPort> SplitHostPort(std::string_view text) {
  const auto wrong = [&] {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is not host:port or [v6]:port", text));
  };
  HostPort parts;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  parts.host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (parts.host.starts_with('[')) {
    if (!parts.host.ends_with(']')) return wrong();
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string_view::npos) {
    return wrong();  // a bare IPv6 address: where it ends and the port begins is a guess
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (parts.host.empty() || port.empty() || error != std::errc() ||
      end != port.data() + port.size()) {
    return wrong();
  }
  return parts;
}

Result<Address> Address::Parse(std::string_view text) {
  auto parts = SplitHostPort(text);
  if (!parts) return std::unexpected(std::move(parts.error()));
  Address address;
  address.port = parts->port;
  address.v6 = text.starts_with('[');
  const std::string host(parts->host);
  if (inet_pton(address.v6 ? AF_INET6 : AF_INET, host.c_str(), address.bytes.data()) != 1) {
    return Fail(Code::kInvalidArgument, fmt::format("'{}' is not a numeric address", host));
  }
  return address;
}

Address Address::Loopback(std::uint16_t port) {
  Address address;
  address.bytes[0] = 127;
  address.bytes[3] = 1;
  address.port = port;
  return address;
}

std::string Address::Ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (v6) return inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  // Every request writes its client's address: inet_ntop would do it with printf.
  char* at = text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, text + sizeof(text), static_cast<unsigned>(bytes[i])).ptr;
  }
  return {text, at};
}

std::string Address::Text() const {
  return fmt::format(v6 ? fmt::runtime("[{}]:{}") : fmt::runtime("{}:{}"), Ip(), port);
}

}  // namespace hale::net
