#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "hale/cluster/instance.h"

namespace hale::cluster {

/// The instances of a service: sorted by address, each address once, so that two readings of the
/// same set are equal whatever order they came in. A value. Pure.
class Instances {
 public:
  Instances() = default;
  /// Of those with the same address one is kept: which one does not depend on their order.
  explicit Instances(std::vector<Instance> all);
  explicit Instances(std::initializer_list<Instance> all) : Instances(std::vector(all)) {}

  std::size_t size() const { return all_.size(); }
  bool empty() const { return all_.empty(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  const Instance& operator[](std::size_t i) const { return all_[i]; }
  /// Null when there is none.
  const Instance* Find(std::string_view address) const;

  friend bool operator==(const Instances&, const Instances&) = default;

 private:
  std::vector<Instance> all_;
};

/// What changed between two sets, sorted by address. Points into the sets that were compared.
struct InstancesDiff {
  std::vector<const Instance*> added;
  std::vector<const Instance*> removed;
  std::vector<const Instance*> changed;  ///< as they are now

  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

/// Linear in the sizes of both. Pure.
InstancesDiff Diff(const Instances& before, const Instances& after);

/// All of `base`, with what `over` says where it says something. Pure.
Instances Merge(const Instances& base, const Instances& over);

}  // namespace hale::cluster
