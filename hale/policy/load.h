#pragma once

#include <atomic>
#include <cstdint>

#include "hale/base/outcome.h"
#include "hale/base/time.h"

namespace hale::policy {

/// How loaded one instance looks from here: calls in flight, latency as a peak EWMA (it follows a
/// rise at once and a fall over 10 s; Finagle's peakEwma) and the share of calls that fail. Shared
/// by all loops. Outlives its tokens. Thread-safe.
class Load {
 public:
  Load() = default;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// One call in flight; given back by the destructor.
  class [[nodiscard]] Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept;
    Token& operator=(Token&& other) noexcept;
    ~Token();
    /// The call has ended. kIgnored, and a token dropped without this, touch no figure but the
    /// calls in flight.
    void Settle(Outcome outcome, Duration latency, TimePoint now);
    explicit operator bool() const { return load_ != nullptr; }

   private:
    friend class Load;
    explicit Token(Load& load) : load_(&load) {}
    Load* load_ = nullptr;
  };

  Token Start();

  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  /// Zero: not known yet.
  Duration Latency(TimePoint now) const;
  /// Of the last calls, [0, 1]; fades over 10 s without any.
  double FailureShare(TimePoint now) const;
  /// What one answer from here is expected to cost in time, the failures that must be tried again
  /// included: Latency ÷ (1 − FailureShare)². Zero: not known yet.
  Duration Cost(TimePoint now) const;

 private:
  void Observe(Outcome outcome, Duration latency, TimePoint now);

  // A stamp of 2^20 ns in the upper half, a float in the lower, so that both change as one.
  alignas(64) std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::uint64_t> latency_{0};   // ns
  std::atomic<std::uint64_t> failures_{0};  // share
};

}  // namespace hale::policy
