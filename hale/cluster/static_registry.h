#pragma once

#include <cstdint>
#include <vector>

#include "hale/base/wait.h"
#include "hale/cluster/registry.h"

namespace hale::cluster {

/// The list that stands in the document. Loop-bound.
class StaticRegistry final : public Registry {
 public:
  StaticRegistry(Executor& executor, std::vector<Instance> instances)
      : changed_(executor), instances_(std::move(instances)) {}

  /// A new document's list.
  void Replace(std::vector<Instance> instances);
  Task<Result<Update>> Next(Position after) override;

 private:
  Trigger changed_;
  std::vector<Instance> instances_;
  std::uint64_t number_ = 1;
};

}  // namespace hale::cluster
