#include "hale/mesh/retry_after.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>

namespace hale::mesh {
namespace {

// A server that asks for more asks for too much, and seconds stay far from overflowing.
constexpr std::chrono::seconds kLongest = std::chrono::hours(24);

}  // namespace

Duration ParseRetryAfter(std::string_view value, WallTime now) {
  std::uint32_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto number = std::from_chars(value.data(), end, seconds);
  if (number.ec == std::errc() && number.ptr == end) {
    return std::min(std::chrono::seconds(seconds), kLongest);
  }
  std::tm when{};
  const std::string text(value);
  const char* const rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when);
  if (rest == nullptr || *rest != '\0') return Duration::zero();
  // In seconds: nanoseconds end in the year 2262.
  const auto left = std::chrono::seconds(timegm(&when)) -
                    std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return std::clamp<std::chrono::seconds>(left, std::chrono::seconds(0), kLongest);
}

}  // namespace hale::mesh
