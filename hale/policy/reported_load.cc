#include "hale/policy/reported_load.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "hale/policy/stamped.h"

namespace hale::policy {

void ReportedLoad::Report(double load, TimePoint now) {
  const auto bounded = static_cast<float>(std::clamp(load, kLeast, kMost));
  word_.store(Stamped::Of(Stamped::At(now), bounded).word(), std::memory_order_relaxed);
}

ReportedLoad::Reading ReportedLoad::Read(TimePoint now) const {
  const Stamped word = Stamped::From(word_.load(std::memory_order_relaxed));
  if (word.bits == 0) return {};
  constexpr double kForgotten = 30e9 / (1 << 20);
  const auto age = static_cast<std::int32_t>(Stamped::At(now) - word.stamp);
  if (age >= kForgotten) return {};
  return {.load = word.value(), .left = 1 - std::max(age, 0) / kForgotten};
}

CostRatio Compare(const ReportedLoad::Reading& one, const ReportedLoad::Reading& other) {
  const double left = std::min(one.left, other.left);
  if (left == 0) return {};
  return {1 + (one.load - 1) * left, 1 + (other.load - 1) * left};
}

std::optional<double> ParseLoad(std::string_view text) {
  double load = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, load, std::chars_format::fixed);
  const bool whole = read.ec == std::errc() && read.ptr == end && !text.empty();
  if (!whole || !std::isfinite(load) || text.front() == '-') return std::nullopt;
  return load;
}

}  // namespace hale::policy
