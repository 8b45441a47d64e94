#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/time.h"
#include "hale/mesh/served_request.h"
#include "hale/net/http_head.h"

namespace hale::mesh {

/// An answer that is held whole, to be given to more than one. Immutable once shared.
struct CopiedAnswer {
  net::ResponseHead head;  ///< without fields of one hop or one request
  std::string body;
  /// What its Vary names, as the request for which it was made had it.
  std::vector<std::pair<std::string, std::string>> selected_by;

  /// Of what is held, for bounds.
  std::size_t bytes() const;
};

/// A copy of an answer to `request`. Pure.
CopiedAnswer CopyOf(const net::RequestHead& request, const net::ResponseHead& response,
                    std::string body);

/// Whether the answer is one to this request, too, as far as its Vary tells (RFC 9111 §4.1). Pure.
bool FitsRequest(const CopiedAnswer& answer, const net::RequestHead& request);

/// Whether somebody else with the same key may be given an answer to a request that HasTwins: it is
/// nobody's own (`private`, `no-store`, Set-Cookie), no stream of events, and does not vary by
/// everything. Pure.
bool MayBeShared(const net::ResponseHead& response);

/// For how long an answer may be given again when its service is away, at most; zero when it may
/// not: only a whole 200 that MayBeShared, that its service lets be given when stale (not
/// `no-cache`, `must-revalidate`, `proxy-revalidate`; `s-maxage` is the longest), and that is no
/// fallback itself. What it says of its Age has passed already, of `s-maxage` and of `max_age`. One
/// that was given for credentials must say `public` (RFC 9111 §3.5). Pure.
Duration MayBeKeptFor(const net::RequestHead& request, const net::ResponseHead& response,
                      Duration max_age);

/// Whether an answer tells that an older one is not true any more: whatever is final, but for what
/// says "not now" and for parts and confirmations. Pure.
bool Supersedes(const net::ResponseHead& response);

/// Whether an answer tells that what its request was about has changed, so that older answers about
/// it are not true any more: no error, to a method that is not safe (RFC 9111 §4.4). Pure.
bool TellsOfAChange(const net::RequestHead& request, const net::ResponseHead& response);

/// The Age of an answer that has been kept since, in seconds; at most 2^31 (RFC 9111 §1.2.2). Pure.
std::uint64_t AgeAfter(const net::Fields& fields, Duration kept);

/// Fields that say what an answer is instead of.
struct Instead {
  std::string_view how;  ///< `static`, `cached`, `service`
  Reason after = Reason::kNone;
};
/// `hale-fallback` and `hale-reason`. Pure.
void Mark(net::ResponseHead& response, const Instead& instead);

/// Gives a copy to a client. Loop-bound.
Task<void> RespondCopy(ServedRequest& request, const CopiedAnswer& answer, HopRetry retry);
/// The same instead of the answer that should have come, `age` old.
Task<void> RespondCopy(ServedRequest& request, const CopiedAnswer& answer, Instead instead,
                       Duration age);

}  // namespace hale::mesh
