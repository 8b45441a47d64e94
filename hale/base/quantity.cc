#include "hale/base/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace hale {
namespace {

using Wide = unsigned __int128;

struct Unit {
  std::string_view word;
  std::uint64_t factor;
};

constexpr std::array<Unit, 7> kTimeUnits = {{{"h", 3'600'000'000'000},
                                             {"min", 60'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"s", 1'000'000'000},
                                             {"ms", 1'000'000},
                                             {"us", 1'000},
                                             {"ns", 1}}};
constexpr std::array<Unit, 9> kSizeUnits = {{{"GiB", 1ULL << 30},
                                             {"MiB", 1ULL << 20},
                                             {"KiB", 1ULL << 10},
                                             {"GB", 1'000'000'000},
                                             {"MB", 1'000'000},
                                             {"kB", 1'000},
                                             {"KB", 1'000},
                                             {"B", 1},
                                             {"", 1}}};

constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();

Error Bad(std::string_view text, std::string_view allowed) {
  std::string message = "'";
  message += text;
  message += "' is not ";
  message += allowed;
  return Error(Code::kInvalidArgument, std::move(message));
}

/// A decimal number without sign or exponent: digits, of which the last `decimals` are a fraction.
struct Decimal {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;  // 10^decimals
};

std::optional<Decimal> TakeDecimal(std::string_view& text) {
  Decimal number;
  bool any = false;
  bool fraction = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && !fraction && any) {
      fraction = true;
      text.remove_prefix(1);
      if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
      continue;
    }
    if (c < '0' || c > '9') break;
    const Wide next = Wide{number.digits} * 10 + static_cast<unsigned>(c - '0');
    if (next > kMost) return std::nullopt;
    number.digits = static_cast<std::uint64_t>(next);
    if (fraction) {
      if (number.scale > kMost / 10) return std::nullopt;
      number.scale *= 10;
    }
    any = true;
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return number;
}

/// digits × factor ÷ scale, when that is a whole number in range.
std::optional<std::uint64_t> Whole(Decimal number, std::uint64_t factor) {
  const Wide product = Wide{number.digits} * factor;
  if (product % number.scale != 0 || product / number.scale > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(product / number.scale);
}

template <std::size_t N>
const Unit* FindUnit(const std::array<Unit, N>& units, std::string_view word) {
  for (const Unit& unit : units) {
    if (unit.word == word) return &unit;
  }
  return nullptr;
}

template <std::size_t N>
std::string PrintIn(const std::array<Unit, N>& units, std::uint64_t amount) {
  for (const Unit& unit : units) {
    if (amount % unit.factor == 0 && (amount != 0 || unit.factor == 1)) {
      return std::to_string(amount / unit.factor) + std::string(unit.word);
    }
  }
  return std::to_string(amount);
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  constexpr std::string_view kAllowed = "a duration such as 250ms, 2s, 1.5s, 5min or 1h";
  if (text == "0") return Duration::zero();
  std::string_view rest = text;
  const auto number = TakeDecimal(rest);
  const Unit* unit = FindUnit(kTimeUnits, rest);
  if (!number || unit == nullptr) return std::unexpected(Bad(text, kAllowed));
  const auto count = Whole(*number, unit->factor);
  if (!count) return std::unexpected(Bad(text, "a whole number of nanoseconds below 292 years"));
  return Duration(static_cast<std::int64_t>(*count));
}

Result<Rate> ParseRate(std::string_view text) {
  constexpr std::string_view kAllowed = "a rate such as 100/s, 6000/min, 0.2/s or 1/5s";
  std::string_view rest = text;
  const auto number = TakeDecimal(rest);
  if (!number || rest.empty() || rest.front() != '/') return std::unexpected(Bad(text, kAllowed));
  rest.remove_prefix(1);
  // `/s` is `/1s`; only a letter begins a unit, so that `/.5s` does not become `/1.5s`.
  const bool bare_unit = !rest.empty() && rest.front() >= 'a' && rest.front() <= 'z';
  const auto per = ParseDuration(bare_unit ? "1" + std::string(rest) : std::string(rest));
  if (!per || *per <= Duration::zero()) return std::unexpected(Bad(text, kAllowed));
  // 0.2/s is 2 in 10 s: whole permits, exactly.
  const auto span = Whole({static_cast<std::uint64_t>(per->count()), 1}, number->scale);
  if (!span) return std::unexpected(Bad(text, "a rate that can be held exactly"));
  return Rate{number->digits, Duration(static_cast<std::int64_t>(*span))};
}

Result<Size> ParseSize(std::string_view text) {
  constexpr std::string_view kAllowed = "a size such as 500B, 32KiB, 1MiB or 10MB";
  std::string_view rest = text;
  const auto number = TakeDecimal(rest);
  const Unit* unit = FindUnit(kSizeUnits, rest);
  if (!number || unit == nullptr) return std::unexpected(Bad(text, kAllowed));
  const auto count = Whole(*number, unit->factor);
  if (!count) return std::unexpected(Bad(text, "a whole number of bytes below 8 EiB"));
  return Size{*count};
}

Result<double> ParseShare(std::string_view text) {
  constexpr std::string_view kAllowed = "a share such as 0.5 or 50%";
  constexpr std::size_t kMostDigits = 64;  // more than any double has
  std::string digits(text.substr(0, kMostDigits + 1));
  if (digits.size() > kMostDigits) return std::unexpected(Bad(text, kAllowed));
  if (digits.ends_with('%')) {
    digits.pop_back();
    // An exponent instead of a division by 100, so that it is rounded once: 0.7% is 0.007.
    if (digits.find_first_of("eE") != std::string::npos)
      return std::unexpected(Bad(text, kAllowed));
    digits += "e-2";
  }
  double value = 0;
  const char* end_of_digits = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), end_of_digits, value);
  if (error != std::errc() || end != end_of_digits || !std::isfinite(value)) {
    return std::unexpected(Bad(text, kAllowed));
  }
  return value;
}

std::string Print(Duration span) {
  if (span == Duration::zero()) return "0s";
  if (span < Duration::zero()) {
    return "-" + PrintIn(kTimeUnits, 0 - static_cast<std::uint64_t>(span.count()));
  }
  return PrintIn(kTimeUnits, static_cast<std::uint64_t>(span.count()));
}

std::string Print(Rate rate) {
  std::string per = Print(rate.per);
  if (per.starts_with('1') && (per[1] < '0' || per[1] > '9')) per.erase(0, 1);
  return std::to_string(rate.permits) + "/" + per;
}

std::string Print(Size size) { return PrintIn(kSizeUnits, size.bytes); }

std::string PrintShare(double share) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), share);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("nan");
}

std::string PrintFigure(double figure) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), figure,
                                          std::chars_format::general, 4);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("nan");
}

std::string PrintPercent(double share) { return PrintFigure(share * 100) + "%"; }

}  // namespace hale
