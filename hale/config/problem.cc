#include "hale/config/problem.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace hale::config {
namespace {

constexpr std::size_t kMaxWord = 64;  // longer words are not typing errors, and cost time

std::string Plain(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '_' || c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

// Optimal string alignment (Damerau 1964, restricted): three rows are enough.
std::size_t Distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kMaxWord + 1>;
  Row before{};
  Row previous{};
  Row current{};
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      std::size_t best = std::min(previous[j] + 1, current[j - 1] + 1);
      best = std::min(best, previous[j - 1] + differs);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, before[j - 2] + 1);
      }
      current[j] = best;
    }
    before = previous;
    previous = current;
  }
  return previous[b.size()];
}

}  // namespace

std::string Print(const Problem& problem) {
  std::string out = problem.file;
  if (problem.at.line > 0) {
    out += ':' + std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column);
  }
  if (!problem.path.empty()) out += ' ' + problem.path;
  out += problem.severity == Severity::kWarning ? ": warning: " : ": ";
  for (const char c : problem.message) {
    if (c == '\n' || c == '\r') {
      out += c == '\n' ? "\\n" : "\\r";  // one problem is one line, whatever was found
    } else {
      out += c;
    }
  }
  return out;
}

std::string Print(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems) out += Print(problem) + '\n';
  return out;
}

bool HasErrors(const Problems& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& p) { return p.severity == Severity::kError; });
}

Problems Tidy(Problems problems) {
  const auto place = [](const Problem& p) {
    return std::tie(p.at.line, p.at.column, p.severity, p.path, p.message);
  };
  if (problems.size() > kMaxProblems) {
    std::sort(problems.begin(), problems.end(), [&](const Problem& a, const Problem& b) {
      return a.severity != b.severity ? a.severity < b.severity : place(a) < place(b);
    });
    problems.resize(kMaxProblems);
  }
  std::sort(problems.begin(), problems.end(),
            [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string plain = Plain(word.substr(0, kMaxWord + 1));
  if (plain.empty() || word.size() > kMaxWord) return {};
  // One slip in a short word, one in three letters of a longer one.
  std::size_t best = std::max<std::size_t>(1, plain.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kMaxWord) continue;
    const std::size_t distance = Distance(plain, Plain(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace hale::config
