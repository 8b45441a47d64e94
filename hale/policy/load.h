#pragma once

#include <atomic>
#include <cstdint>

#include "hale/base/outcome.h"
#include "hale/base/time.h"

namespace hale::policy {

/// How loaded one instance looks from here: calls in flight, latency as a peak EWMA (it follows a
/// rise at once and a fall over 10 s; Finagle's Peak EWMA) and the share of calls that fail. Shared
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
  /// Fades while no call ends; zero: not known, or too long ago (30 s) to say anything.
  Duration Latency(TimePoint now) const;
  /// Of the last 16 calls or so, [0, 1]; fades in the same way.
  double FailureShare(TimePoint now) const;
  /// By how much failures make an answer from here more costly: 1 ÷ (1 − FailureShare)², [1, 4096].
  /// The square, since a failure costs both its own time and another attempt.
  double Penalty(TimePoint now) const;

 private:
  void End() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  void Observe(Outcome outcome, Duration latency, TimePoint now);

  // The figures have a stamp in the upper half and a float in the lower, so that both change as
  // one.
  alignas(64) std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::uint64_t> latency_{0};   // ns
  std::atomic<std::uint64_t> failures_{0};  // share
};

}  // namespace hale::policy
