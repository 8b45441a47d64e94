#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "hale/telemetry/utf8.h"

namespace hale::telemetry {

/// A string of at most N bytes that lives where it stands, for records of a fixed size; what is
/// longer is cut at a character. Not thread-safe.
template <std::size_t N>
class FixedText {
 public:
  FixedText() = default;
  FixedText(std::string_view text) { *this = text; }  // NOLINT: it is a string
  FixedText(const FixedText& other) { *this = other; }
  FixedText& operator=(const FixedText& other) {
    if (this == &other) return *this;
    length_ = other.length_;
    std::memcpy(text_, other.text_, length_);
    return *this;
  }
  FixedText& operator=(std::string_view text) {
    text = CutUtf8(text, N);
    length_ = static_cast<std::uint16_t>(text.size());
    if (length_ > 0) std::memcpy(text_, text.data(), length_);
    return *this;
  }

  std::string_view view() const { return {text_, length_}; }
  bool empty() const { return length_ == 0; }
  static constexpr std::size_t capacity() { return N; }
  friend bool operator==(const FixedText& a, std::string_view b) { return a.view() == b; }

 private:
  static_assert(N <= UINT16_MAX);
  std::uint16_t length_ = 0;
  char text_[N];  // only the first length_ bytes are ever read
};

}  // namespace hale::telemetry
