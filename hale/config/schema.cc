#include "hale/config/schema.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "hale/config/problem.h"
#include "hale/config/schema_of.h"
#include "hale/config/text.h"

namespace hale::config {
namespace {

std::string Join(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

template <class T>
std::string Take(Result<T> parsed, T& out) {
  if (!parsed) return std::move(parsed.error().message);
  out = *parsed;
  return {};
}

// The parsers of base put the whole text into their message.
constexpr std::size_t kMaxQuantity = 64;

}  // namespace

std::string Expected(const Schema& schema) {
  switch (schema.kind) {
    case Kind::kBool:
      return "true or false";
    case Kind::kInteger:
      return "a whole number";
    case Kind::kShare:
      return "a number such as 0.5 or 50%";
    case Kind::kDuration:
      return "a duration such as 250ms, 2s or 1h";
    case Kind::kRate:
      return "a rate such as 100/s or 6000/min";
    case Kind::kSize:
      return "a size such as 500B, 32KiB or 1MiB";
    case Kind::kText:
      return "a word";
    case Kind::kWord:
      return "one of " + Join(schema.words);
    case Kind::kSecret:
      return "${env:NAME} or {file: path}";
    case Kind::kAny:
      return "a value";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map from names to values";
    case Kind::kRecord:
      break;
  }
  std::vector<std::string_view> keys;
  for (const Row& row : schema.rows) keys.push_back(row.name);
  return "a map with keys out of " + Join(keys);
}

namespace internal {

std::string Parse(std::string_view text, bool& out) {
  if (text != "true" && text != "false") return Quote(text) + " is not true or false";
  out = text == "true";
  return {};
}

std::string Parse(std::string_view text, double& out) {
  if (text.size() > kMaxQuantity) return Quote(text) + " is not a number such as 0.5 or 50%";
  return Take(ParseShare(text), out);
}

std::string Parse(std::string_view text, Duration& out) {
  if (text.size() > kMaxQuantity) return Quote(text) + " is not a duration";
  return Take(ParseDuration(text), out);
}

std::string Parse(std::string_view text, Rate& out) {
  if (text.size() > kMaxQuantity) return Quote(text) + " is not a rate";
  return Take(ParseRate(text), out);
}

std::string Parse(std::string_view text, Size& out) {
  if (text.size() > kMaxQuantity) return Quote(text) + " is not a size";
  return Take(ParseSize(text), out);
}

std::string Parse(std::string_view text, std::string& out) {
  out = text;
  return {};
}

std::string ParseInteger(std::string_view text, std::int64_t low, std::int64_t high,
                         std::int64_t& out) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size() && error != std::errc::invalid_argument;
  if (!whole) return Quote(text) + " is not a whole number";
  if (error != std::errc() || number < low || number > high) {
    return Quote(text) + std::string(kOutOfRange) + std::to_string(low) + " to " +
           std::to_string(high) + " is allowed";
  }
  out = number;
  return {};
}

std::string ParseWord(std::string_view text, std::span<const std::string_view> words,
                      std::size_t& index) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != text) continue;
    index = i;
    return {};
  }
  std::string complaint = Quote(text) + " is not one of " + Join(words);
  const std::string_view near = Nearest(text, {words.begin(), words.end()});
  if (!near.empty()) complaint += "; did you mean " + std::string(near) + "?";
  return complaint;
}

}  // namespace internal
}  // namespace hale::config
