#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace hale::telemetry {

/// The two digits of each byte. Pure.
inline constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 0xF]};
  return pairs;
}();

/// Sixteen lower-case hexadecimal digits. Pure.
inline void WriteHex(std::uint64_t value, std::span<char, 16> out) {
  for (std::size_t i = 0; i < 8; ++i) {
    std::memcpy(&out[2 * i], kHexPairs[(value >> (56 - 8 * i)) & 0xFF].data(), 2);
  }
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
