#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "hale/base/event.h"
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
  std::uint64_t key = 0;       ///< what it belongs to by, see policy::Affinity; 0: to nobody
  EventSink* trail = nullptr;  ///< of the call, see TrailOr
};

/// Where the attempts of a call go. Thread-safe.
class Targets {
 public:
  virtual ~Targets() = default;
  /// One that may take a call now, its breaker's permit taken, rather one that has not been tried.
  /// Refused with kCircuitOpen when every breaker is open, kNoInstance when nothing is there.
  virtual std::expected<Lease, Rejection> Pick(const Wanted& wanted) = 0;
  /// Why the targets are to be spared what need not be sent: a circuit that is not closed, panic;
  /// kNone: they are well.
  virtual Reason Protects(TimePoint now) const {
    static_cast<void>(now);
    return Reason::kNone;
  }
  /// The same as Pick, but only one that has not been tried: for an attempt beside another.
  virtual std::expected<Lease, Rejection> PickOther(const Wanted& wanted) = 0;
};

}  // namespace hale::guard
