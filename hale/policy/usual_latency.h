#pragma once

#include <atomic>
#include <cstdint>

#include "hale/base/outcome.h"
#include "hale/base/time.h"

namespace hale::policy {

/// What an answer of one instance usually takes, to compare it with its peers: the mean of the last
/// 32 calls or so in logarithms, so that one slow answer among many says little. One word, written
/// without a compare-and-swap: of two calls that end at the same instant one may not count, which
/// an average does not notice. Thread-safe.
class UsualLatency {
 public:
  struct Reading {
    Duration latency{0};      ///< zero: not known
    std::uint32_t calls = 0;  ///< that have been seen; up to 2,047, none after 30 s of silence
  };

  /// A failure says how slow it can be, not how fast; kIgnored says nothing.
  void Observe(Outcome outcome, Duration latency, TimePoint now);
  Reading Read(TimePoint now) const;
  /// Begins anew.
  void Forget() { word_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> word_{0};  // stamp, 21 bits of a logarithm, 11 bits of a count
};

}  // namespace hale::policy
