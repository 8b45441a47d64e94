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
  while (after == Position(kEpoch, number_)) {
    changed_.Reset();
    if (co_await changed_.Wait() == Trigger::Ended::kStopped) {
      co_return Fail(Code::kCancelled, "stopped");
    }
  }
  co_return Update(Position(kEpoch, number_), instances_);
}

}  // namespace hale::cluster
