#include "hale/telemetry/json_line.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include "hale/telemetry/utf8.h"

namespace hale::telemetry {
namespace {

constexpr std::string_view kTruncated = ",\"truncated\":true";
constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxNumber = 32;  // the longest double is 24 characters

// Bytes that stand for themselves inside a JSON string.
constexpr auto kPlain = [] {
  std::array<bool, 256> table{};
  for (int c = 0x20; c < 0x80; ++c) table[static_cast<std::size_t>(c)] = c != '"' && c != '\\';
  return table;
}();

// Is any of eight bytes a control character, a quote, a backslash or beyond ASCII? Bytes side by
// side in a word: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than
// n".
bool AnyUnplain(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  const std::uint64_t found = ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) |
                              ((backslash - kOnes) & ~backslash) | word;
  return (found & kHigh) != 0;
}

bool Plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

// The escape of an ASCII character that is not plain.
std::string_view EscapeOf(char c, std::array<char, 6>& unicode) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(c);
  unicode = {'\\', 'u', '0', '0', kDigits[value >> 4], kDigits[value & 0xF]};
  return {unicode.data(), unicode.size()};
}

void TwoDigits(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

Escaped EscapeJson(std::string_view text, std::span<char> out) {
  char* at = out.data();
  char* const end = at + out.size();
  std::size_t used = 0;
  while (used < text.size()) {
    // What stands for itself is nearly everything: eight bytes at a time, then one.
    while (text.size() - used >= 8 && end - at >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + used, 8);
      if (AnyUnplain(word)) break;
      std::memcpy(at, &word, 8);
      at += 8;
      used += 8;
    }
    while (used < text.size() && at < end && Plain(text[used])) *at++ = text[used++];
    if (used == text.size() || at == end) break;

    std::array<char, 6> unicode;
    std::string_view piece;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text[used]) < 0x80) {
      piece = EscapeOf(text[used], unicode);
    } else if (const std::size_t length = Utf8Length(text.substr(used)); length > 0) {
      piece = text.substr(used, length);
      taken = length;
    } else {
      piece = kReplacement;
    }
    if (piece.size() > static_cast<std::size_t>(end - at)) break;
    if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
    used += taken;
  }
  return {at, used};
}

std::string JsonString(std::string_view text) {
  std::string out(2 + 6 * text.size(), '"');
  const Escaped escaped = EscapeJson(text, std::span(out).subspan(1, out.size() - 2));
  out.resize(static_cast<std::size_t>(escaped.end - out.data()));
  return out += '"';
}

std::array<char, 27> TimeText(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto micros =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(time - day).count());
  const auto seconds = static_cast<unsigned>(micros / 1'000'000);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::array<char, 27> text;
  TwoDigits(&text[0], year / 100 % 100);
  TwoDigits(&text[2], year % 100);
  TwoDigits(&text[5], static_cast<unsigned>(date.month()));
  TwoDigits(&text[8], static_cast<unsigned>(date.day()));
  TwoDigits(&text[11], seconds / 3600);
  TwoDigits(&text[14], seconds / 60 % 60);
  TwoDigits(&text[17], seconds % 60);
  const auto fraction = static_cast<unsigned>(micros % 1'000'000);
  TwoDigits(&text[20], fraction / 10'000);
  TwoDigits(&text[22], fraction / 100 % 100);
  TwoDigits(&text[24], fraction % 100);
  text[4] = text[7] = '-';
  text[10] = 'T';
  text[13] = text[16] = ':';
  text[19] = '.';
  text[26] = 'Z';
  return text;
}

JsonLine::JsonLine(std::span<char> buffer)
    : begin_(buffer.data()),
      at_(begin_),
      end_(begin_ + buffer.size() - kTruncated.size() - 2) {  // `}` and the line feed
  *at_++ = '{';
}

bool JsonLine::Key(std::string_view key, std::size_t room) {
  // Room for the worst the key can become, its quotes, comma and colon.
  if (static_cast<std::size_t>(end_ - at_) < 4 + 6 * std::min(key.size(), kMaxKey) + room) {
    truncated_ = true;
    return false;
  }
  if (at_ != begin_ + 1) *at_++ = ',';
  *at_++ = '"';
  at_ = EscapeJson(CutUtf8(key, kMaxKey), {at_, end_}).end;
  *at_++ = '"';
  *at_++ = ':';
  return true;
}

void JsonLine::Put(std::string_view text) {
  if (!text.empty()) std::memcpy(at_, text.data(), text.size());
  at_ += text.size();
}

void JsonLine::Text(std::string_view key, std::string_view value, std::size_t limit) {
  if (!Key(key, 2)) return;
  *at_++ = '"';
  const auto [end, used] = EscapeJson(CutUtf8(value, limit), {at_, end_ - 1});
  at_ = end;
  *at_++ = '"';
  if (used < value.size()) truncated_ = true;
}

void JsonLine::Integer(std::string_view key, std::int64_t value) {
  if (Key(key, kMaxNumber)) at_ = std::to_chars(at_, end_, value).ptr;
}

void JsonLine::Unsigned(std::string_view key, std::uint64_t value) {
  if (Key(key, kMaxNumber)) at_ = std::to_chars(at_, end_, value).ptr;
}

void JsonLine::Number(std::string_view key, double value) {
  if (std::isnan(value)) return Text(key, "NaN");
  if (std::isinf(value)) return Text(key, value > 0 ? "Infinity" : "-Infinity");
  if (Key(key, kMaxNumber)) at_ = std::to_chars(at_, end_, value).ptr;
}

void JsonLine::Bool(std::string_view key, bool value) {
  if (Key(key, 5)) Put(value ? "true" : "false");
}

void JsonLine::Span(std::string_view key, Duration value) {
  if (!Key(key, kMaxNumber)) return;
  // As unsigned, since the smallest value has no positive counterpart.
  auto nanos = static_cast<std::uint64_t>(value.count());
  if (value < Duration::zero()) {
    *at_++ = '-';
    nanos = 0 - nanos;
  }
  at_ = std::to_chars(at_, end_, nanos / 1'000'000'000).ptr;
  std::uint64_t fraction = nanos % 1'000'000'000;
  if (fraction == 0) return;
  *at_++ = '.';
  for (std::uint64_t digit = 100'000'000; fraction > 0; digit /= 10) {
    *at_++ = static_cast<char>('0' + fraction / digit);
    fraction %= digit;
  }
}

void JsonLine::Quoted(std::string_view key, std::span<const char> plain) {
  if (!Key(key, plain.size() + 2)) return;
  *at_++ = '"';
  Put({plain.data(), plain.size()});
  *at_++ = '"';
}

void JsonLine::Time(std::string_view key, WallTime value) { Quoted(key, TimeText(value)); }

void JsonLine::Trace(const TraceContext& context) {
  if (!context.valid()) return;
  Quoted("trace_id", TraceIdText(context));
  Quoted("span_id", SpanIdText(context));
}

void JsonLine::Raw(std::string_view key, std::string_view json) {
  if (Key(key, json.size())) Put(json);
}

std::string_view JsonLine::Finish() {
  if (truncated_) {
    // Without its comma when it is the only member.
    const bool alone = at_ == begin_ + 1;
    Put(kTruncated.substr(alone ? 1 : 0));
  }
  *at_++ = '}';
  *at_++ = '\n';
  return {begin_, at_};
}

}  // namespace hale::telemetry
