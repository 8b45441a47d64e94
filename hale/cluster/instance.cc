#include "hale/cluster/instance.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace hale::cluster {
namespace {

// A name in the DNS is at most 253 characters long (RFC 1035 §2.3.4).
constexpr std::size_t kMaxHost = 253;
// One instance is at most this large, so that a set has a bound in bytes too.
constexpr std::size_t kMaxBytes = 16 * 1024;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  // A leading zero would give one instance two identities.
  if (text.empty() || text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsV6(std::string_view host) {
  in6_addr address{};
  // inet_pton reads up to a zero byte, whatever stands behind it.
  return !host.contains('\0') && inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > kMaxHost) return false;
  // What looks like an IPv4 address and is none would be looked up as a name, and not be found.
  if (std::ranges::all_of(host, [](char c) { return IsDigit(c) || c == '.'; })) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
  }
  return std::ranges::all_of(host, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  });
}

std::unexpected<Error> Bad(std::string_view found, std::string_view why) {
  constexpr std::size_t kShown = 80;
  return Fail(Code::kInvalidArgument,
              "'" + std::string(found.substr(0, kShown)) + "': " + std::string(why));
}

}  // namespace

Result<void> CheckAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return Bad(address, "no port; an address is host:port");
  const std::string_view host = address.substr(0, colon);
  if (!IsPort(address.substr(colon + 1))) return Bad(address, "the port is not one of 1 to 65535");
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || !IsV6(host.substr(1, host.size() - 2))) {
      return Bad(address, "not an IPv6 address in brackets");
    }
    return {};
  }
  if (host.contains(':')) return Bad(address, "an IPv6 address stands in brackets, [::1]:80");
  if (!IsHost(host)) return Bad(address, "neither an IPv4 address nor a host name");
  return {};
}

Result<void> Check(const Instance& instance) {
  if (auto checked = CheckAddress(instance.address); !checked) return checked;
  // The comparison is false for what is not a number.
  if (!(instance.weight >= 0 && instance.weight <= 1000)) {
    return Bad(instance.address, "its weight is not between 0 and 1000");
  }
  std::size_t bytes = instance.zone.size();
  for (const auto& [key, value] : instance.metadata) bytes += key.size() + value.size();
  if (bytes > kMaxBytes) return Bad(instance.address, "its zone and metadata exceed 16 KiB");
  return {};
}

}  // namespace hale::cluster
