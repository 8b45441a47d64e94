#pragma once

#include <string_view>

#include "hale/base/time.h"

namespace hale::mesh {

/// How long a Retry-After asks to wait (RFC 9110 §10.2.3), in seconds or until an HTTP date as
/// servers write it now; zero when it asks for nothing, for the past, or is no such value. Pure.
Duration ParseRetryAfter(std::string_view value, WallTime now);

}  // namespace hale::mesh
