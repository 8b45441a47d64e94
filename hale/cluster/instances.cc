#include "hale/cluster/instances.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace hale::cluster {
namespace {

bool Before(const Instance& a, const Instance& b) {
  // The heaviest of those with one address comes first: a copy that is being drained (weight 0)
  // and not yet gone does not silence its successor on the same port.
  return std::tie(a.address, b.weight, a.zone, a.metadata) <
         std::tie(b.address, a.weight, b.zone, b.metadata);
}

bool SameAddress(const Instance& a, const Instance& b) { return a.address == b.address; }

}  // namespace

Instances::Instances(std::vector<Instance> all) : all_(std::move(all)) {
  std::ranges::sort(all_, Before);
  const auto rest = std::ranges::unique(all_, SameAddress);
  all_.erase(rest.begin(), rest.end());
}

const Instance* Instances::Find(std::string_view address) const {
  const auto found = std::ranges::lower_bound(all_, address, {}, &Instance::address);
  return found != all_.end() && found->address == address ? &*found : nullptr;
}

InstancesDiff Diff(const Instances& before, const Instances& after) {
  InstancesDiff diff;
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->address < now->address)) {
      diff.removed.push_back(&*old++);
    } else if (old == before.end() || now->address < old->address) {
      diff.added.push_back(&*now++);
    } else {
      if (*old != *now) diff.changed.push_back(&*now);
      ++old;
      ++now;
    }
  }
  return diff;
}

Instances Merge(const Instances& base, const Instances& over) {
  std::vector<Instance> all(over.begin(), over.end());
  for (const Instance& instance : base) {
    if (over.Find(instance.address) == nullptr) all.push_back(instance);
  }
  return Instances(std::move(all));
}

}  // namespace hale::cluster
