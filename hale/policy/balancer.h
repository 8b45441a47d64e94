#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/balance_options.h"
#include "hale/policy/load.h"
#include "hale/policy/maglev.h"
#include "hale/policy/reported_load.h"

namespace hale::policy {

/// One instance that may be picked.
struct Candidate {
  const Load* load = nullptr;          ///< p2c, least_request and maglev need it
  double weight = 1;                   ///< [0, …), as narrowed; 0 takes no new calls
  TimePoint since = TimePoint::min();  ///< when it joined or came back
  double share = 1;  ///< of its weight that is left by narrowing: all that round_robin sees of it
  const ReportedLoad* reported = nullptr;  ///< null: what it reports is not used
};

/// Where a call belongs by its key.
struct Affinity {
  const MaglevTable& table;              ///< over the whole set, not empty
  std::uint64_t key;                     ///< MaglevId of what the call is told apart by
  std::span<const std::uint32_t> index;  ///< each candidate's entry in the table
};

/// Picks one of some candidates. The set may differ from one call to the next: nothing is kept
/// about a candidate here, only one running number. Thread-safe.
class Balancer {
 public:
  explicit Balancer(const BalanceOptions& options = {});
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// An index into `candidates`; nothing when none has weight. `affinity`: for maglev, which picks
  /// as p2c without.
  std::optional<std::size_t> Pick(std::span<const Candidate> candidates, Random& random,
                                  TimePoint now, const Affinity* affinity = nullptr);
  void Apply(const BalanceOptions& options);

 private:
  using Candidates = std::span<const Candidate>;

  double Weight(const Candidate& candidate, TimePoint now) const;
  std::optional<std::size_t> PickInTurn(Candidates candidates, BalanceKind kind, TimePoint now);
  std::optional<std::size_t> PickBetterOfTwo(Candidates candidates, Random& random,
                                             TimePoint now) const;
  std::optional<std::size_t> PickLeast(Candidates candidates, Random& random, TimePoint now) const;
  std::optional<std::size_t> PickByKey(Candidates candidates, const Affinity& affinity,
                                       TimePoint now) const;

  std::atomic<BalanceKind> kind_;
  std::atomic<Duration> slow_start_;
  std::atomic<double> bound_;
  alignas(64) std::atomic<std::uint64_t> turn_{0};
};

}  // namespace hale::policy
