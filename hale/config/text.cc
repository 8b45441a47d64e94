#include "hale/config/text.h"

#include <algorithm>

namespace hale::config {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

void AppendEscaped(std::string& out, char c, char quote) {
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      break;
  }
  if (c == quote) {
    out += '\\';
    out += c;
  } else if (byte < 0x20 || byte == 0x7F) {
    out += "\\u00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  } else {
    out += c;
  }
}

// A byte that is part of no character.
void AppendHex(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

bool IsContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// The length of the UTF-8 sequence at `at`, 0 if there is none: no overlong form, no surrogate,
// nothing above U+10FFFF.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !IsContinuation(text, at + 1)) return 0;
  const unsigned second = byte(at + 1);
  if (first < 0xE0) return 2;
  if (!IsContinuation(text, at + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (!IsContinuation(text, at + 3)) return 0;
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || beyond ? 0 : 4;
}

// The beginning of a text, without a part of a character at its end.
std::string_view Cut(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && IsContinuation(text, end)) --end;
  return text.substr(0, end);
}

}  // namespace

std::string Quote(std::string_view text) {
  const std::string_view shown = Cut(text, 40);
  std::string out = "'";
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t length = SequenceLength(shown, at);
    if (length == 0) AppendHex(out, shown[at]);
    if (length == 1) AppendEscaped(out, shown[at], '\'');
    if (length > 1) out += shown.substr(at, length);
    at += std::max<std::size_t>(1, length);
  }
  if (shown.size() < text.size()) out += "...";
  out += '\'';
  return out;
}

std::string JsonQuote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) AppendEscaped(out, c, '"');
  out += '"';
  return out;
}

std::string JoinKey(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (key.empty() || !std::all_of(key.begin(), key.end(), IsPlain)) {
    path += '[';
    path += JsonQuote(Cut(key, 128));
    path += ']';
    return path;
  }
  if (!path.empty()) path += '.';
  path += key.substr(0, 128);
  return path;
}

std::string JoinIndex(std::string_view parent, std::size_t index) {
  return std::string(parent) + "[" + std::to_string(index) + "]";
}

std::optional<std::size_t> FirstNotText(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const std::size_t length = control || byte == 0x7F ? 0 : SequenceLength(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

Position PositionOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n');
  const std::size_t column = start == std::string_view::npos ? offset : offset - start - 1;
  return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
}

}  // namespace hale::config
