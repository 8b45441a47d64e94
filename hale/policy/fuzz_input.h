#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace hale::policy {

/// For fuzz targets: ends the run where a claim does not hold, and says where that is.
inline void Require(bool condition, std::source_location where = std::source_location::current()) {
  if (condition) return;
  std::fprintf(stderr, "%s:%u: does not hold\n", where.file_name(), where.line());
  std::abort();
}

/// For fuzz targets: bytes that become decisions; zeroes after the last. Not thread-safe.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  bool empty() const { return at_ == end_; }
  std::uint8_t Byte() { return empty() ? 0 : *at_++; }
  template <class T, std::size_t N>
  T Pick(const std::array<T, N>& choices) {
    return choices[Byte() % N];
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace hale::policy
