#include "hale/net/http1_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hale::net {
namespace {

using Table = std::array<bool, 256>;

constexpr Table Letters(std::string_view others) {
  Table table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : others) table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr Table kToken = Letters("!#$%&'*+-.^_`|~");
constexpr Table kHost = Letters("-._~%!$&'()*+,;=");  // RFC 3986 §3.2.2, reg-name

bool All(const Table& table, std::string_view text) {
  return std::ranges::all_of(text, [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool IsTokenCharacter(char c) { return kToken[static_cast<unsigned char>(c)]; }
bool IsToken(std::string_view text) { return !text.empty() && All(kToken, text); }

bool HasControl(std::string_view text) {
  bool found = false;  // without a branch in the loop it is done 16 bytes at a time
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    found |= (byte < 0x20 && byte != '\t') || byte == 0x7f;
  }
  return found;
}

std::string_view TrimSpace(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> ParseLength(std::string_view text) {
  std::int64_t length = 0;
  if (text.empty() || text.front() == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<std::uint64_t>(length);
}

bool IsAuthority(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (host.size() < 2 || host.find(':') == std::string_view::npos ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    port = text.substr(colon);
    if (host.empty() || !All(kHost, host)) return false;
  }
  // The port may be empty after its colon (RFC 3986 §3.2.3).
  return port.empty() || (port.front() == ':' && (port.size() == 1 || IsPort(port.substr(1))));
}

std::string_view TakeElement(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view element = TrimSpace(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

}  // namespace hale::net
