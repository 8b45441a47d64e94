#include "hale/cluster/static_registry.h"

#include <utility>

namespace hale::cluster {
namespace {

constexpr std::uint64_t kEpoch = 1;

}  // namespace

void StaticRegistry::Replace(std::vector<Instance> instances) {
  instances_ = std::move(instances);
  ++number_;
  changed_.Fire();
}

Task<Result<Update>> StaticRegistry::Next(Position after) {
  for (;;) {
    const Position here(kEpoch, number_);
    if (after != here) co_return Update(here, instances_);
    changed_.Reset();
    const Trigger::Ended ended = co_await changed_.Wait();
    if (ended == Trigger::Ended::kStopped) co_return Fail(Code::kCancelled, "stopped");
  }
}

}  // namespace hale::cluster
