#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hale::telemetry {

/// A value of at most this many bytes: labels are words, not documents.
inline constexpr std::size_t kMaxLabelValue = 256;

/// `a="x",b="y"` as both exposition formats write it: backslash, quote and line feed are escaped;
/// broken UTF-8 and other control characters, which would turn a scrape away, become U+FFFD. Values
/// that are missing are empty. Pure.
std::string LabelText(const std::vector<std::string>& names,
                      std::span<const std::string_view> values);

/// The text of a HELP line; OpenMetrics escapes the quote as well. Pure.
enum class Quotes { kPlain, kEscaped };
std::string HelpText(std::string_view text, Quotes quotes);

}  // namespace hale::telemetry
