#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/base/time.h"

namespace hale {

/// So many permits in so much time, kept as it was written: `100/s`, `0.2/s`, `6000/min`, `1/5s`.
struct Rate {
  std::uint64_t permits = 0;
  Duration per = std::chrono::seconds(1);

  friend constexpr bool operator==(const Rate&, const Rate&) = default;
  constexpr double PerSecond() const { return static_cast<double>(permits) / Seconds(per); }
};

/// A number of bytes: `32KiB`, `1MiB`, `500B`; powers of 1000 with kB, MB, GB.
struct Size {
  std::uint64_t bytes = 0;

  friend constexpr auto operator<=>(const Size&, const Size&) = default;
};

/// Parsers are exact: what cannot be represented is refused, never rounded or wrapped, and the
/// error says what was found and what is allowed. Print(Parse(text)) parses to the same value.
/// Pure.
Result<Duration> ParseDuration(std::string_view text);
Result<Rate> ParseRate(std::string_view text);
Result<Size> ParseSize(std::string_view text);
/// `50%` or `0.5`: any finite number; a range is the schema's matter.
Result<double> ParseShare(std::string_view text);

std::string Print(Duration span);
std::string Print(Rate rate);
std::string Print(Size size);
std::string PrintShare(double share);
/// For sentences: four digits of a figure, `12.5%` of a share.
std::string PrintFigure(double figure);
std::string PrintPercent(double share);

}  // namespace hale
