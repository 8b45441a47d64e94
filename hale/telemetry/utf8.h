#pragma once

#include <cstddef>
#include <string_view>

namespace hale::telemetry {

/// What stands for bytes that are no UTF-8: U+FFFD.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The length of the well-formed sequence of two to four bytes at the front; 0 if there is none
/// (RFC 3629 §4: nothing overlong, no surrogate, nothing beyond U+10FFFF). Pure.
std::size_t Utf8Length(std::string_view text);

/// At most `limit` bytes of `text`, never ending inside a sequence. Pure.
std::string_view CutUtf8(std::string_view text, std::size_t limit);

}  // namespace hale::telemetry
