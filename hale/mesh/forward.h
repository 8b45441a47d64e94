#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/base/random.h"
#include "hale/mesh/listen_options.h"
#include "hale/net/http_head.h"
#include "hale/policy/priority.h"
#include "hale/telemetry/fixed_text.h"
#include "hale/telemetry/trace_context.h"

namespace hale::mesh {

/// What a request brings along across hops, and what it gets here if it brings nothing.
struct Passport {
  telemetry::FixedText<128> request_id;
  telemetry::TraceContext trace;                  ///< of this hop
  std::uint32_t attempt = 1;                      ///< of the caller
  Duration timeout = kForever;                    ///< what the caller still waits
  std::optional<policy::Priority> priority = {};  ///< what it says that it is worth
};

/// How a request is read and stamped.
struct ForwardRules {
  Trust trust = Trust::kEdge;
  bool peer_trusted = false;   ///< a proxy whose X-Forwarded-For counts
  std::string_view peer_ip;    ///< who is at the other end of the connection
  std::string_view pseudonym;  ///< ours in Via, at most kLongestPseudonym characters

  static constexpr std::size_t kLongestPseudonym = 92;
};

/// What a request brings; at an edge nothing that a stranger could have made up. Pure but for
/// `random`.
Passport ReadPassport(const net::Fields& fields, const ForwardRules& rules, Random& random);

/// Reads a request's passport, and writes what the next hop is to see into it: hop-by-hop fields
/// gone, `x-request-id` and `traceparent` renewed or passed on, X-Forwarded-For and -Proto, Via. At
/// an edge `hale-*`, X-Forwarded-* and Forwarded of strangers are stripped first. Fails with kLoop
/// when `pseudonym` is in Via already.
Result<Passport> StampRequest(net::RequestHead& request, const ForwardRules& rules, Random& random);

/// The same for the response on its way back.
void StampResponse(net::ResponseHead& response, const Passport& passport);

}  // namespace hale::mesh
