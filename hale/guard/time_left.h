#pragma once

#include <optional>

#include "hale/guard/call_policies.h"

namespace hale::guard {

/// The time that one call has left, looked at when it begins and once more after each wait; it is
/// one call for the gate all the same. Loop-bound.
class TimeLeft {
 public:
  /// Both outlive me.
  TimeLeft(const CallPolicies& policies, const CallSpec& spec) : policies_(policies), spec_(spec) {}

  /// The rejection of a call whose deadline has passed or cannot be met; in shadow the latter is
  /// told, once, and the call goes on. At the instant of the last look nothing is new.
  std::optional<Rejection> TooLate(TimePoint now) {
    if (now >= spec_.deadline) return PastDeadline(spec_, now);
    const bool asks = policies_.gate != nullptr && policies_.gate->mode() != policy::Mode::kOff;
    return asks && looked_ != now && !told_ ? AskGate(now) : std::nullopt;
  }

 private:
  std::optional<Rejection> AskGate(TimePoint now);

  const CallPolicies& policies_;
  const CallSpec& spec_;
  std::optional<TimePoint> looked_;
  bool told_ = false;
};

/// A retry must leave itself the time that an attempt needs.
void LeaveRoom(policy::FailedAttempt& failure, const CallPolicies& policies, TimePoint now);

}  // namespace hale::guard
