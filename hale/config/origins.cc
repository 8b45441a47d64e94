#include "hale/config/origins.h"

#include <algorithm>
#include <utility>

namespace hale::config {
namespace {

// What is around a path: `a.b[2].c` is in `a.b[2]`, that in `a.b`, that in `a`.
std::string_view Around(std::string_view path) {
  if (path.ends_with("\"]")) {
    const std::size_t open = path.rfind("[\"");
    return open == std::string_view::npos ? std::string_view() : path.substr(0, open);
  }
  const std::size_t cut = path.find_last_of(".[");
  return cut == std::string_view::npos ? std::string_view() : path.substr(0, cut);
}

bool Within(std::string_view path, std::string_view section) {
  if (!path.starts_with(section)) return false;
  return path.size() == section.size() || path[section.size()] == '.' ||
         path[section.size()] == '[';
}

}  // namespace

Position Origins::At(std::string_view path) const {
  for (; !path.empty(); path = Around(path)) {
    const auto found = places_.find(path);
    if (found != places_.end()) return found->second;
  }
  return {1, 1};
}

std::string Origins::Describe(std::string_view path) const {
  const auto found = places_.find(path);
  if (found == places_.end()) return "default";
  return file_ + ":" + std::to_string(found->second.line);
}

void Origins::Replace(std::string_view section, const Origins& other) {
  std::erase_if(places_, [&](const auto& place) { return Within(place.first, section); });
  for (const auto& [path, at] : other.places_) {
    if (Within(path, section)) places_.insert_or_assign(path, at);
  }
}

bool Findings::Unread(std::string_view path) const {
  const auto end = problems_.begin() + static_cast<std::ptrdiff_t>(known_);
  return std::any_of(problems_.begin(), end, [&](const Problem& problem) {
    return problem.severity == Severity::kError &&
           (Within(problem.path, path) || Within(path, problem.path));
  });
}

void Findings::Add(Severity severity, std::string path, std::string message) {
  // Warnings have room beside errors, so that neither hides the other before Tidy().
  if (problems_.size() >= 2 * kMaxProblems) return;
  if (Unread(path)) return;
  const Position at = origins_.At(path);
  problems_.push_back({severity, origins_.file(), at, std::move(path), std::move(message)});
}

}  // namespace hale::config
