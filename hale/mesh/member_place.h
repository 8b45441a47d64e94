#pragma once

#include <memory>

#include "hale/base/task.h"
#include "hale/mesh/member.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::mesh {

/// Looks up the name of a member and tells it where it is; for one with a numeric address, and when
/// nothing is found within `patience`, nothing happens: where it was is the best guess. Loop-bound.
Task<void> LookUpPlace(net::Loop& loop, net::Resolver& resolver, std::shared_ptr<Member> member,
                       Duration patience);

}  // namespace hale::mesh
