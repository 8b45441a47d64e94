#pragma once

#include <memory>

#include "hale/base/event.h"
#include "hale/mesh/member.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::mesh {

/// Asks a member that is left out for one sign of life, so that no user's call has to try. One that
/// refused connections is alive when it accepts one. One that had stopped answering accepts them
/// all the same (its kernel does), so it is alive when it sends a byte: it gets `OPTIONS *`, which
/// any HTTP server answers somehow, and `patience` to do so, its answer being noticed the moment
/// that it comes. Ends with what it found told to the member. Loop-bound.
Task<void> ProbeLife(net::Loop& loop, net::Resolver& resolver, std::shared_ptr<Member> member,
                     Duration connect_timeout, Duration patience);

}  // namespace hale::mesh
