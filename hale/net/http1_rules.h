#pragma once

#include <expected>
#include <string_view>

#include "hale/net/http_head.h"
#include "hale/net/http_limits.h"

namespace hale::net {

/// What is allowed of a message beyond what the parser checks (RFC 9110, 9112). Each function
/// judges, and where the rule says how a message is to be understood, rewrites it so. Pure.

using Judged = std::expected<void, Verdict>;

/// METHOD SP target SP HTTP/1.x, nothing else; 505 for another major version, 501 for CONNECT.
Judged JudgeRequestLine(std::string_view line, const HeadLimits& limits);
/// HTTP/1.x SP 3 digits from 100 to 599, then nothing or SP phrase.
Judged JudgeStatusLine(std::string_view line);

/// Host once, and valid; the target's form, whose authority replaces Host (RFC 9112 §3.2);
/// Content-Length and Transfer-Encoding into `framing`; Expect; what it says of its connection.
Judged JudgeRequest(RequestHead& head);
/// The same of a response to a request of `method`; its verdicts are 502.
Judged JudgeResponse(ResponseHead& head, std::string_view method);

}  // namespace hale::net
