#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hale/base/field.h"

namespace hale::policy {

/// What a request is worth when not all can be served; the words of B. Beyer et al., "Site
/// Reliability Engineering", 2016, ch. 21. The greater the number, the sooner it is shed.
enum class Priority : std::uint8_t {
  kCriticalPlus,   ///< its failure is seen by many users
  kCritical,       ///< by a user; what nobody has said anything about
  kSheddablePlus,  ///< can wait for minutes: batch jobs
  kSheddable,      ///< may fail often; also whatever carries a word that is not known
};
inline constexpr std::size_t kPriorities = 4;

constexpr auto Names(Type<Priority>) {
  return std::array{Name<Priority>{"critical_plus", Priority::kCriticalPlus},
                    Name<Priority>{"critical", Priority::kCritical},
                    Name<Priority>{"sheddable_plus", Priority::kSheddablePlus},
                    Name<Priority>{"sheddable", Priority::kSheddable}};
}

/// As it stands in the document and in the `hale-priority` header. Pure.
constexpr std::string_view Word(Priority priority) {
  for (const auto& name : Names(Type<Priority>{})) {
    if (name.value == priority) return name.word;
  }
  return "sheddable";
}

/// The priority that a word names; the lowest for one that is not known, so that a slip of the pen
/// gains nothing. Pure.
constexpr Priority PriorityFromWord(std::string_view word) {
  for (const auto& name : Names(Type<Priority>{})) {
    if (name.word == word) return name.value;
  }
  return Priority::kSheddable;
}

}  // namespace hale::policy
