#pragma once

#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/net/http_head.h"

namespace hale::mesh {

/// A response that Hale makes itself.
struct Refusal {
  net::ResponseHead head;
  std::string body;
};

/// The response for a call that ended in `error`: its reason's status and word (`hale-reason`),
/// Retry-After in whole seconds rounded up, and a JSON body that says the same. `no_retry` adds
/// `hale-retry: no`. Pure.
enum class HopRetry : std::uint8_t { kMay, kNo };
Refusal MakeRefusal(const Error& error, std::string_view request_id, HopRetry retry);

}  // namespace hale::mesh
