#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/net/address.h"
#include "hale/net/loop.h"

namespace hale::net {

/// Turns names into addresses through the system's resolver, in one helper thread, since
/// getaddrinfo blocks. A numeric address is returned at once. At most 256 names wait; beyond that
/// kResourceExhausted. Thread-safe; the loop given to a call outlives the call, not the look-up.
class Resolver final {
 public:
  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses of `host:port`, at least one, in the system's order; kUnavailable when there are
  /// none, kDeadlineExceeded when it takes longer.
  Task<Result<std::vector<Address>>> Resolve(Loop& loop, std::string host_port, TimePoint deadline);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hale::net
