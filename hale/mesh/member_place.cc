#include "hale/mesh/member_place.h"

namespace hale::mesh {

Task<void> LookUpPlace(net::Loop& loop, net::Resolver& resolver, std::shared_ptr<Member> member,
                       Duration patience) {
  if (!member->named()) co_return;
  const TimePoint deadline = SaturatingAdd(loop.Now(), patience);
  const auto places = co_await resolver.Resolve(loop, member->address(), deadline);
  if (places) member->OnPlaces(*places);
}

}  // namespace hale::mesh
