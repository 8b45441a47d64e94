#include "hale/mesh/trusted_proxies.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hale::mesh {
namespace {

std::optional<net::Address> ParseIp(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (auto whole = net::Address::Parse(text)) return *whole;  // with a port
  const bool bare_v6 = text.find(':') != std::string_view::npos && !text.starts_with('[');
  std::string with_port = bare_v6 ? "[" + std::string(text) + "]" : std::string(text);
  with_port += ":1";
  const auto address = net::Address::Parse(with_port);
  return address ? std::optional(*address) : std::nullopt;
}

bool SameBits(const net::Address& a, const net::Address& b, unsigned bits) {
  if (a.v6 != b.v6) return false;
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if ((a.bytes[i / 8] & mask) != (b.bytes[i / 8] & mask)) return false;
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    const std::size_t slash = text.find('/');
    const auto address = ParseIp(std::string_view(text).substr(0, slash));
    if (!address) continue;
    unsigned bits = address->v6 ? 128 : 32;
    if (slash != std::string::npos) {
      std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
    }
    networks_.push_back({*address, std::min(bits, address->v6 ? 128U : 32U)});
  }
}

bool TrustedProxies::Has(const net::Address& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    return SameBits(network.address, address, network.bits);
  });
}

std::string TrustedProxies::ClientIp(const net::Address& peer, const net::Fields& fields) const {
  net::Address client = peer;
  if (!Has(peer)) return client.Ip();
  std::string all;
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "x-forwarded-for")) continue;
    if (!all.empty()) all += ',';
    all += line.value;
  }
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    const std::string_view entry =
        Trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
    const auto address = ParseIp(entry);
    if (!address) break;
    client = *address;
    if (!Has(client)) break;
  }
  return client.Ip();
}

}  // namespace hale::mesh
