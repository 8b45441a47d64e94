#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hale::config {

enum class Severity : std::uint8_t { kError, kWarning };

/// A place in a document. Lines and columns count from 1, columns in bytes; 0: not known.
struct Position {
  int line = 0;
  int column = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

/// Something in a document that is wrong or unwise, said to its author.
struct Problem {
  Severity severity = Severity::kError;
  std::string file{};
  Position at{};
  std::string path{};     ///< `services.orders.breaker.failure_rate`, `routes[2].limit[0].by`
  std::string message{};  ///< what was found, what is allowed, a hint

  friend bool operator==(const Problem&, const Problem&) = default;
};

using Problems = std::vector<Problem>;

/// So many are reported of one document; more would not be read.
inline constexpr std::size_t kMaxProblems = 100;

/// `hale.yaml:14:9 services.orders.breaker.falure_rate: unknown key, did you mean failure_rate?`
/// Pure.
std::string Print(const Problem& problem);
/// One a line, each ended by a newline. Pure.
std::string Print(const Problems& problems);

bool HasErrors(const Problems& problems);

/// In the order of the document, without repetition, at most kMaxProblems, errors kept first when
/// there are more. Pure.
Problems Tidy(Problems problems);

/// The candidate nearest to `word` by edit distance (insert, delete, substitute, swap of
/// neighbours), when it is near enough to be meant; otherwise empty. Case, '-' and '_' do not
/// count. Pure.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace hale::config
