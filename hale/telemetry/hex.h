#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hale::telemetry {

/// Sixteen lower-case hexadecimal digits. Pure.
inline void WriteHex(std::uint64_t value, std::span<char, 16> out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = kDigits[value & 0xF];
}

/// Reads up to sixteen lower-case digits; nothing if there is any other character. Pure.
constexpr std::optional<std::uint64_t> ParseHex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    value <<= 4;
    if (c >= '0' && c <= '9') {
      value |= static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value |= static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

}  // namespace hale::telemetry
