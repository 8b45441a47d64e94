#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/reported_load.h"
#include "hale/policy/usual_latency.h"

namespace hale::policy {

/// How loaded one instance looks from here: calls in flight, at most so many (exact over all
/// loops), latency as a peak EWMA (it follows a rise at once and a fall over 10 s; Finagle's Peak
/// EWMA) and the share of calls that fail. Outlives its tokens. Thread-safe.
class Load {
 public:
  explicit Load(std::uint32_t most = std::numeric_limits<std::uint32_t>::max()) : most_(most) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// One call in flight; given back by the destructor.
  class [[nodiscard]] Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept : load_(std::exchange(other.load_, nullptr)) {}
    Token& operator=(Token&& other) noexcept {
      std::swap(load_, other.load_);
      return *this;
    }
    ~Token() {
      if (load_ != nullptr) load_->End();
    }
    /// How the call went, while its answer still flows. kIgnored touches no figure.
    void Observe(Outcome outcome, Duration latency, TimePoint now) {
      if (load_ != nullptr && outcome != Outcome::kIgnored) load_->Observe(outcome, latency, now);
    }
    /// The call has ended. kIgnored, and a token dropped without this, touch no figure but the
    /// calls in flight.
    void Settle(Outcome outcome, Duration latency, TimePoint now);
    explicit operator bool() const { return load_ != nullptr; }

   private:
    friend class Load;
    explicit Token(Load& load) : load_(&load) {}
    Load* load_ = nullptr;
  };

  /// An empty token when it is full; NoRoom says so.
  Token Start();
  bool full() const { return in_flight() >= most(); }
  /// Below what is in flight it admits nobody until enough have left.
  void Apply(std::uint32_t most) { most_.store(most, std::memory_order_relaxed); }
  std::uint32_t most() const { return most_.load(std::memory_order_relaxed); }

  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  /// Fades while no call ends; zero: not known, or too long ago (30 s) to say anything.
  Duration Latency(TimePoint now) const;
  /// Of the last 16 calls or so, [0, 1]; fades in the same way.
  double FailureShare(TimePoint now) const;
  /// By how much failures make an answer from here more costly: 1 ÷ (1 − FailureShare)², [1, 4096].
  /// The square, since a failure costs both its own time and another attempt.
  double Penalty(TimePoint now) const {
    return failures_.load(std::memory_order_relaxed) == 0 ? 1 : PenaltyOfFailures(now);
  }
  /// What an answer usually takes, to compare it with its peers.
  UsualLatency& usual() { return usual_; }
  const UsualLatency& usual() const { return usual_; }
  /// How loaded it says that it is.
  ReportedLoad& reported() { return reported_; }
  const ReportedLoad& reported() const { return reported_; }

 private:
  void End() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  void Observe(Outcome outcome, Duration latency, TimePoint now);
  double PenaltyOfFailures(TimePoint now) const;

  // The figures have a stamp in the upper half and a float in the lower, so that both change as
  // one.
  alignas(64) std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::uint32_t> most_;
  std::atomic<std::uint64_t> latency_{0};   // ns
  std::atomic<std::uint64_t> failures_{0};  // share
  UsualLatency usual_;
  ReportedLoad reported_;
};

/// The refusal of an instance that is full. Pure.
inline Rejection NoRoom(const Load& load) {
  return {.reason = Reason::kConcurrency,
          .observed = static_cast<double>(load.in_flight()),
          .threshold = static_cast<double>(load.most())};
}

}  // namespace hale::policy
