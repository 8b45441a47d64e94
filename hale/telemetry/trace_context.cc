#include "hale/telemetry/trace_context.h"

#include <algorithm>
#include <span>
#include <vector>

#include "hale/telemetry/hex.h"

namespace hale::telemetry {
namespace {

constexpr std::size_t kLength = 55;  // 00-<32>-<16>-<2>
constexpr std::uint8_t kSampledFlag = 1;
constexpr std::uint8_t kRandomFlag = 2;
constexpr std::size_t kMaxMembers = 32;
constexpr std::size_t kMaxTracestate = 512;  // "vendors SHOULD propagate at least 512 characters"
constexpr std::size_t kLongMember = 128;     // "entries larger than 128 characters ... first"

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsKey(std::string_view key) {
  if (key.empty() || key.size() > 256 || !IsLowerOrDigit(key.front())) return false;
  return std::ranges::all_of(key, [](char c) {
    return IsLowerOrDigit(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  });
}

bool IsValue(std::string_view value) {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  return std::ranges::all_of(value,
                             [](char c) { return c >= 0x20 && c <= 0x7E && c != ',' && c != '='; });
}

// A fixed list: a tracestate is looked at for each request that carries one.
struct Members {
  std::array<std::string_view, kMaxMembers> list;
  std::size_t size = 0;
};

std::string_view KeyOf(std::string_view member) { return member.substr(0, member.find('=')); }

std::optional<Members> Split(std::string_view value) {
  Members members;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view member = Trim(value.substr(0, comma));
    if (!member.empty()) {
      const std::string_view key = KeyOf(member);
      if (members.size == kMaxMembers || key.size() == member.size() || !IsKey(key) ||
          !IsValue(member.substr(key.size() + 1))) {
        return std::nullopt;
      }
      const auto known = std::span(members.list).first(members.size);
      if (std::ranges::find(known, key, KeyOf) != known.end()) return std::nullopt;
      members.list[members.size++] = member;
    }
    if (comma == std::string_view::npos) return members;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view value) {
  value = Trim(value);
  if (value.size() < kLength || value[2] != '-' || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const auto version = ParseHex(value.substr(0, 2));
  if (!version || *version == 0xFF) return std::nullopt;
  const bool longer = value.size() > kLength;
  if (longer && (*version == 0 || value[kLength] != '-')) return std::nullopt;
  const auto high = ParseHex(value.substr(3, 16));
  const auto low = ParseHex(value.substr(19, 16));
  const auto span = ParseHex(value.substr(36, 16));
  const auto flags = ParseHex(value.substr(53, 2));
  if (!high || !low || !span || !flags) return std::nullopt;
  const TraceContext context{.trace_high = *high,
                             .trace_low = *low,
                             .span = *span,
                             .sampled = (*flags & kSampledFlag) != 0,
                             .random = (*flags & kRandomFlag) != 0};
  if (!context.valid()) return std::nullopt;
  return context;
}

std::array<char, 55> Traceparent(const TraceContext& context) {
  std::array<char, kLength> text;
  text[0] = text[1] = '0';
  text[2] = text[35] = text[52] = '-';
  const std::span<char> out(text);
  WriteHex(context.trace_high, out.subspan<3, 16>());
  WriteHex(context.trace_low, out.subspan<19, 16>());
  WriteHex(context.span, out.subspan<36, 16>());
  text[53] = '0';
  text[54] = static_cast<char>('0' + (context.sampled ? kSampledFlag : 0) +
                               (context.random ? kRandomFlag : 0));
  return text;
}

std::array<char, 32> TraceIdText(const TraceContext& context) {
  std::array<char, 32> text;
  const std::span<char> out(text);
  WriteHex(context.trace_high, out.subspan<0, 16>());
  WriteHex(context.trace_low, out.subspan<16, 16>());
  return text;
}

std::array<char, 16> SpanIdText(const TraceContext& context) {
  std::array<char, 16> text;
  WriteHex(context.span, std::span<char, 16>(text));
  return text;
}

TraceContext NewTrace(Random& random, Sampled sampled) {
  TraceContext context{.trace_high = random.Next(),
                       .trace_low = random.Next(),
                       .span = random.Next(),
                       .sampled = sampled == Sampled::kYes,
                       .random = true};
  // Zero is no id; 2^-64 of the time, and always with a broken source.
  if (context.trace_low == 0) context.trace_low = 1;
  if (context.span == 0) context.span = 1;
  return context;
}

TraceContext NextHop(const TraceContext& parent, Random& random) {
  TraceContext context = parent;
  context.span = random.Next();
  if (context.span == 0) context.span = 1;
  return context;
}

bool TracestateFits(std::string_view value) {
  return value.size() <= kMaxTracestate && Split(value).has_value();
}

std::string CleanTracestate(std::string_view value) {
  auto members = Split(value);
  if (!members) return {};
  std::vector<std::string_view> kept(members->list.begin(), members->list.begin() + members->size);
  const auto length = [&] {
    std::size_t sum = kept.empty() ? 0 : kept.size() - 1;
    for (const std::string_view member : kept) sum += member.size();
    return sum;
  };
  for (std::size_t i = kept.size(); i-- > 0 && length() > kMaxTracestate;) {
    if (kept[i].size() > kLongMember) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
  }
  while (length() > kMaxTracestate) kept.pop_back();
  std::string text;
  for (const std::string_view member : kept) {
    if (!text.empty()) text += ',';
    text += member;
  }
  return text;
}

}  // namespace hale::telemetry
