#pragma once

#include <memory>
#include <unordered_map>

#include "hale/mesh/member.h"
#include "hale/net/http_client.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::mesh {

/// One loop's connections to all members. A pool lives as long as its member is called from here,
/// and until Prune afterwards. Loop-bound.
class Pools {
 public:
  /// Both outlive me.
  Pools(net::Loop& loop, net::Resolver& resolver) : loop_(loop), resolver_(resolver) {}

  /// The pool of a member, made when it is first asked for; a member whose address is a name is
  /// looked up then. kUpstreamConnect when that gives nothing.
  Task<Result<net::ConnectionPool*>> Resolve(std::shared_ptr<Member> member,
                                             const TimeoutOptions& timeouts, TimePoint deadline);
  /// The same when nothing must be looked up: null otherwise.
  net::ConnectionPool* Find(const std::shared_ptr<Member>& member, const TimeoutOptions& timeouts);
  /// Closes the connections to members that nobody but this holds any more.
  void Prune();
  net::Loop& loop() { return loop_; }

 private:
  struct Entry {
    std::shared_ptr<Member> member;
    std::unique_ptr<net::ConnectionPool> pool;
    Duration connect{0};
    std::uint32_t moves = 0;  ///< of the member, when the pool was made
  };
  net::ConnectionPool* Make(const std::shared_ptr<Member>& member, const TimeoutOptions& timeouts);

  net::Loop& loop_;
  net::Resolver& resolver_;
  std::unordered_map<const Member*, Entry> entries_;
};

}  // namespace hale::mesh
