#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/guard/lease.h"

namespace hale::guard {

/// The targets that a call has been sent to already: a further attempt goes elsewhere if it can.
/// Beyond eight the oldest is forgotten. Not thread-safe.
class Tried {
 public:
  void Add(const Target& target) { targets_[count_++ % targets_.size()] = &target; }
  bool Has(const Target& target) const {
    for (const Target* tried : targets_) {
      if (tried == &target) return true;
    }
    return false;
  }
  bool empty() const { return count_ == 0; }

 private:
  std::array<const Target*, 8> targets_{};
  std::size_t count_ = 0;
};

/// What a target is wanted for.
struct Wanted {
  const Tried& tried;  ///< by this call already
  TimePoint now;
  Duration timeout;  ///< the attempt takes no longer; 0: not known
  Random& random;
};

/// Where the attempts of a call go. Thread-safe.
class Targets {
 public:
  virtual ~Targets() = default;
  /// One that may take a call now, its breaker's permit taken, rather one that has not been tried.
  /// Refused with kCircuitOpen when every breaker is open, kNoInstance when nothing is there.
  virtual std::expected<Lease, Rejection> Pick(const Wanted& wanted) = 0;
  /// The same, but only one that has not been tried: for an attempt beside another.
  virtual std::expected<Lease, Rejection> PickOther(const Wanted& wanted) = 0;
};

}  // namespace hale::guard
