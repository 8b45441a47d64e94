#pragma once

#include <string_view>

#include "hale/net/http1_rules.h"
#include "hale/net/http_head.h"
#include "hale/net/http_limits.h"

namespace hale::net {

/// Splits a whole head, which a HeadScanner has found, with llhttp, and judges it with the rules.
/// `into` is cleared first and reused, so that a busy connection does not allocate. Pure.
Judged ParseRequestHead(std::string_view head, const HeadLimits& limits, RequestHead& into);

/// The same of a response to a request of `method`.
Judged ParseResponseHead(std::string_view head, std::string_view method, ResponseHead& into);

}  // namespace hale::net
