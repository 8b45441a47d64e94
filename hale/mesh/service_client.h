#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hale/base/task.h"
#include "hale/mesh/forward.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/service.h"
#include "hale/net/http_head.h"

namespace hale::mesh {

/// An answer that has been read whole.
struct ClientResponse {
  net::ResponseHead head;
  std::string content;

  int status() const { return head.status; }
  const std::string& body() const { return content; }
};

/// A request of this process's own.
struct ClientRequest {
  net::RequestHead head;  ///< method, target and fields; Host is the service when it is missing
  std::string body = {};
  Duration deadline = std::chrono::seconds(15);
  const Passport* parent = nullptr;  ///< of the request that this one is made for; may be null
  policy::Priority priority = policy::Priority::kCritical;  ///< when the parent has none
};

/// Calls a service through all its policies. An answer with a 5xx status, after what retries there
/// were, is an answer; an error is a call that got none. A body beyond 16 MiB is refused
/// (kBodyTooLarge). Loop-bound to the pools' loop.
Task<Result<ClientResponse>> CallService(std::shared_ptr<Service> service, Pools& pools,
                                         ClientRequest request, EventSink& events);

}  // namespace hale::mesh
