#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "hale/base/random.h"

namespace hale::telemetry {

inline constexpr std::size_t kMaxRequestId = 128;

/// May a caller's `x-request-id` be taken over: 1 to 128 letters, digits and `-_.:+/=@`? Anything
/// else could break a log line, a URL or a shell that it is pasted into. Pure.
bool ValidRequestId(std::string_view id);

/// 128 random bits in hexadecimal.
std::array<char, 32> NewRequestId(Random& random);

}  // namespace hale::telemetry
