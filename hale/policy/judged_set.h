#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "hale/policy/outlier.h"

namespace hale::policy {

/// For tests: instances, and a judge who remembers what he said the last time.
class JudgedSet {
 protected:
  void Make(std::size_t count) {
    set_.resize(count);
    for (InstanceFacts& facts : set_) facts.latency = 5ms;
  }
  Judgement Judge() {
    Judgement judgement = policy::Judge(set_, options_, now_);
    for (std::size_t i = 0; i < set_.size(); ++i) set_[i].before = judgement.verdicts[i];
    return judgement;
  }
  /// Judges, and what is told of one.
  std::optional<Event> Told(std::size_t i) {
    const InstanceVerdict before = set_[i].before;
    return ToEvent(before, Judge().verdicts[i], now_);
  }
  /// Judges as often as it takes for all places to be given.
  Judgement JudgeFor(Duration span) {
    Judgement judgement;
    for (const TimePoint end = now_ + span; now_ < end; now_ += 100ms) judgement = Judge();
    return judgement;
  }
  void Sicken(std::size_t i, CircuitState state = CircuitState::kOpen) {
    set_[i].circuit = state;
    set_[i].circuit_reason = Reason::kFailureRate;
  }
  void Refuse(std::size_t i) { set_[i].refused = now_; }
  std::size_t Count(const Judgement& judgement, Use use) const {
    return static_cast<std::size_t>(
        std::ranges::count(judgement.verdicts, use, &InstanceVerdict::use));
  }
  std::size_t LeftOut(const Judgement& judgement) const {
    return static_cast<std::size_t>(
        std::ranges::count(judgement.verdicts, true, &InstanceVerdict::left_out));
  }

  std::vector<InstanceFacts> set_;
  OutlierOptions options_;
  TimePoint now_{1h};
};

}  // namespace hale::policy
