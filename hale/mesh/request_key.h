#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hale/net/http_head.h"
#include "hale/policy/priority.h"

namespace hale::mesh {

/// What makes a request the same as another one: its method, host, target and the fields in `by`,
/// by name and values. Two requests that differ in one of these have different keys, so that what
/// is remembered by it stays apart when `by` changes. Pure.
std::string RequestKey(const net::RequestHead& request, std::span<const std::string> by);

/// What a request is about: its host and target, whatever it asks to be done with it. Pure.
std::string RequestSubject(const net::RequestHead& request);

/// How a request stands with the policies of its service: whether it is refused depends on it.
struct Standing {
  policy::Priority priority = policy::Priority::kCritical;
  std::string_view partition = {};  ///< of the bulkhead
};
/// What makes the call of a request the same as another one: its RequestKey, and its standing, so
/// that nobody is refused for what another one is worth. Pure.
std::string FlightKey(const net::RequestHead& request, std::span<const std::string> by,
                      const Standing& standing);

/// Whether the answer to a request may be given to another one with the same key, or an older one
/// to it: GET or HEAD, nothing in it but its head, no part of a body or condition asked for, no
/// fresh answer demanded; credentials only if they are in `by`, so that none but their owner has
/// the same key. Pure.
bool HasTwins(const net::RequestHead& request, std::span<const std::string> by);

}  // namespace hale::mesh
