#include "hale/mesh/pools.h"

namespace hale::mesh {
namespace {

net::ClientOptions ToClient(const TimeoutOptions& timeouts) {
  net::ClientOptions options;
  options.connect_timeout = timeouts.connect;
  return options;
}

}  // namespace

net::ConnectionPool* Pools::Make(const std::shared_ptr<Member>& member,
                                 const TimeoutOptions& timeouts) {
  const std::uint32_t moves = member->moves();
  const auto address = member->place();
  if (!address) return nullptr;
  Entry entry{member,
              std::make_unique<net::ConnectionPool>(loop_, *address, ToClient(timeouts),
                                                    member->connections()),
              timeouts.connect, moves};
  return entries_.insert_or_assign(member.get(), std::move(entry)).first->second.pool.get();
}

net::ConnectionPool* Pools::Find(const std::shared_ptr<Member>& member,
                                 const TimeoutOptions& timeouts) {
  const auto found = entries_.find(member.get());
  // What still uses the connections to where it was ends with them.
  if (found == entries_.end() || found->second.moves != member->moves()) {
    return Make(member, timeouts);
  }
  Entry& entry = found->second;
  if (entry.connect != timeouts.connect) {
    entry.connect = timeouts.connect;
    entry.pool->Apply(ToClient(timeouts));
  }
  return entry.pool.get();
}

Task<Result<net::ConnectionPool*>> Pools::Resolve(std::shared_ptr<Member> member,
                                                  const TimeoutOptions& timeouts,
                                                  TimePoint deadline) {
  const TimeoutOptions own = timeouts;
  if (net::ConnectionPool* pool = Find(member, own)) co_return pool;
  const auto found = co_await resolver_.Resolve(loop_, member->address(), deadline);
  if (!found) {
    co_return Fail(Reason::kUpstreamConnect, Executed::kNo, std::string(found.error().message));
  }
  member->OnPlaces(*found);
  co_return Find(member, own);
}

void Pools::Prune() {
  std::erase_if(entries_, [](const auto& entry) { return entry.second.member.use_count() == 1; });
}

}  // namespace hale::mesh
