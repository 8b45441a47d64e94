#include "hale/mesh/path.h"

#include <optional>

namespace hale::mesh {
namespace {

std::optional<int> HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool Unreserved(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void DecodeUnreserved(std::string_view path, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size()) {
      const auto high = HexValue(path[i + 1]);
      const auto low = HexValue(path[i + 2]);
      if (high && low) {
        const int value = *high * 16 + *low;
        if (Unreserved(value)) {
          out += static_cast<char>(value);
        } else {
          out += '%';
          out += kDigits[static_cast<std::size_t>(*high)];
          out += kDigits[static_cast<std::size_t>(*low)];
        }
        i += 2;
        continue;
      }
    }
    out += path[i];
  }
}

/// RFC 3986 §5.2.4, for a path that begins with '/'.
void RemoveDotSegments(std::string& path) {
  std::string out;
  out.reserve(path.size());
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = std::string_view(path).substr(at + 1, end - at - 1);
    const bool last = end == path.size();
    if (segment == "." || segment == "..") {
      if (segment == "..") out.erase(std::min(out.rfind('/'), out.size()));
      if (last) out += '/';
    } else {
      out += '/';
      out += segment;
    }
    at = end;
  }
  path = std::move(out);
}

}  // namespace

std::string_view NormalizePath(std::string_view path, std::string& buffer) {
  const bool plain =
      path.find('%') == std::string_view::npos && path.find("/.") == std::string_view::npos;
  if (plain || !path.starts_with('/')) return path;
  buffer.clear();
  DecodeUnreserved(path, buffer);
  RemoveDotSegments(buffer);
  return buffer;
}

}  // namespace hale::mesh
