#include "app/load_options.h"

#include <cmath>

namespace hale::app {

Result<std::vector<Portion>> ParsePortions(std::span<const std::string> texts) {
  std::vector<Portion> portions;
  std::vector<std::size_t> open;
  double given = 0;
  for (const std::string& text : texts) {
    // A query may hold an equals sign itself: only a percentage at the end is a share.
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || !text.ends_with('%')) {
      open.push_back(portions.size());
      portions.push_back({.what = text});
      continue;
    }
    const Result<double> share = ParseShare(std::string_view(text).substr(equals + 1));
    if (!share || *share < 0 || *share > 1) {
      return Fail(Code::kInvalidArgument, text + ": a share is 0% to 100%");
    }
    given += *share;
    portions.push_back({.what = text.substr(0, equals), .share = *share});
  }
  constexpr double kRounding = 1e-9;
  if (given > 1 + kRounding || (open.empty() && std::abs(given - 1) > kRounding)) {
    return Fail(Code::kInvalidArgument, "the shares do not add up to 100%");
  }
  for (const std::size_t index : open) {
    portions[index].share = std::max(0.0, 1 - given) / static_cast<double>(open.size());
  }
  return portions;
}

Result<Target> ParseTarget(const std::string& url) {
  std::string_view rest = url;
  constexpr std::string_view kScheme = "http://";
  if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
  } else if (rest.find("://") != std::string_view::npos) {
    return Fail(Code::kInvalidArgument, url + ": only http:// can be loaded");
  }
  const std::size_t slash = rest.find('/');
  Target target;
  target.authority = rest.substr(0, slash);
  target.path = slash == std::string_view::npos ? "/" : rest.substr(slash);
  if (target.authority.empty()) return Fail(Code::kInvalidArgument, url + ": names no host");
  if (target.authority.find(':') == std::string::npos) target.authority += ":80";
  return target;
}

std::size_t Choose(std::span<const Portion> portions, double unit) {
  for (std::size_t i = 0; i + 1 < portions.size(); ++i) {
    if (unit < portions[i].share) return i;
    unit -= portions[i].share;
  }
  return portions.size() - 1;
}

}  // namespace hale::app
