#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "hale/base/time.h"

namespace hale::policy {

/// What one instance's pulse showed at one moment.
struct PulseReading {
  /// How long it has been silent: the later of its last byte and the sending of the first call that
  /// has been out since; kNever: nothing is out.
  TimePoint waiting_since = kNever;
  TimePoint answered = TimePoint::min();  ///< the latest sent-at of a call that it has answered
  TimePoint last_byte = TimePoint::min();
  std::uint32_t unanswered = 0;  ///< calls without a byte of their answer
  bool stalled = false;
};

/// Which instances have stopped answering, at `now`: a call to it has been out for `theta` in which
/// nothing was received from it, and a peer has answered a call that was sent after the silence had
/// begun. The last is what tells a stopped instance from a slow service: when all are slow, or
/// there is only one, nothing is stalled. One that is stalled stays so until a byte ends it. Pure.
std::vector<bool> JudgeStalls(std::span<const PulseReading> set, Duration theta, TimePoint now);

/// Whether one instance still answers, seen from its calls by all loops: a few atomic operations a
/// call on one cache line. Outlives its calls. Thread-safe.
class Pulse {
 public:
  Pulse() = default;
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  /// A call that has been sent and has no byte of its answer yet. Dropped: it ended without one.
  class [[nodiscard]] Call {
   public:
    Call() = default;
    Call(Call&& other) noexcept
        : pulse_(std::exchange(other.pulse_, nullptr)), sent_(other.sent_) {}
    Call& operator=(Call&& other) noexcept {
      std::swap(pulse_, other.pulse_);
      std::swap(sent_, other.sent_);
      return *this;
    }
    ~Call() {
      if (pulse_ != nullptr) pulse_->EndWithout();
    }
    /// The first byte of its answer is here; includes OnBytes.
    void Answered(TimePoint now);
    explicit operator bool() const { return pulse_ != nullptr; }
    TimePoint sent() const { return sent_; }

   private:
    friend class Pulse;
    Call(Pulse& pulse, TimePoint sent) : pulse_(&pulse), sent_(sent) {}
    Pulse* pulse_ = nullptr;
    TimePoint sent_{};
  };

  Call OnSent(TimePoint now);
  /// Any byte from it, of whatever call or check: it lives, and its silence begins anew.
  void OnBytes(TimePoint now);
  bool stalled() const { return (waiting_.load(std::memory_order_relaxed) & 1) != 0; }
  PulseReading Read() const;
  /// Makes it stalled, unless a byte has come since `reading` was read; true if it is now.
  bool MarkStalled(const PulseReading& reading);

 private:
  void Begin(TimePoint now);
  void EndWithout();

  // Since when it is silent with a call out, in ns, doubled; bit 0: stalled. 0: nothing is out.
  alignas(64) std::atomic<std::uint64_t> waiting_{0};
  std::atomic<std::int64_t> last_byte_{TimePoint::min().time_since_epoch().count()};
  std::atomic<std::int64_t> answered_{TimePoint::min().time_since_epoch().count()};
  std::atomic<std::uint32_t> unanswered_{0};
};

}  // namespace hale::policy
