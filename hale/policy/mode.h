#pragma once

#include <array>
#include <cstdint>

#include "hale/base/field.h"

namespace hale::policy {

/// What a policy does with its decisions.
enum class Mode : std::uint8_t {
  kOff,     ///< it is not asked
  kShadow,  ///< it decides and counts, and refuses nothing
  kEnforce,
};

constexpr auto Names(Type<Mode>) {
  return std::array{Name<Mode>{"off", Mode::kOff}, Name<Mode>{"shadow", Mode::kShadow},
                    Name<Mode>{"enforce", Mode::kEnforce}};
}

}  // namespace hale::policy
