#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hale/base/wait.h"
#include "hale/cluster/registry.h"

namespace hale::test {

/// A registry in memory that does as it is told: the model that the others are held against, and a
/// stand-in for whatever needs one. Loop-bound.
class ScriptedRegistry final : public cluster::Registry {
 public:
  explicit ScriptedRegistry(Executor& executor) : news_(executor) {}

  void Set(std::vector<cluster::Instance> all) {
    instances_ = std::move(all);
    ++number_;
    news_.Fire();
  }
  /// Fails each question from now on.
  void Break(std::string message) {
    broken_ = std::move(message);
    told_ = false;
    news_.Fire();
  }
  void Mend() {
    broken_.reset();
    mended_ = true;
    news_.Fire();
  }
  /// As after a restore from a copy: counts anew.
  void StartEpoch() {
    ++epoch_;
    number_ = 1;
    news_.Fire();
  }
  void Vouch(bool authoritative) { authoritative_ = authoritative; }

  Task<Result<cluster::Update>> Next(cluster::Position after) override {
    for (;;) {
      news_.Reset();
      if (broken_ && !std::exchange(told_, true)) co_return Fail(Code::kUnavailable, *broken_);
      const cluster::Position here(epoch_, number_);
      if (!broken_ && (after != here || std::exchange(mended_, false))) {
        mended_ = false;
        co_return cluster::Update(here, instances_, authoritative_);
      }
      const Trigger::Ended ended = co_await news_.Wait();
      if (ended == Trigger::Ended::kStopped) co_return Fail(Code::kCancelled, "stopped");
    }
  }

 private:
  Trigger news_;
  std::vector<cluster::Instance> instances_;
  std::uint64_t epoch_ = 1;
  std::uint64_t number_ = 1;
  bool authoritative_ = true;
  std::optional<std::string> broken_;
  bool told_ = false;
  bool mended_ = false;
};

}  // namespace hale::test
