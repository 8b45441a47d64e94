#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/outcome.h"
#include "hale/base/quantity.h"
#include "hale/policy/gcra.h"
#include "hale/policy/keyed_hash.h"
#include "hale/policy/mode.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/refusals.h"

namespace hale::policy {

/// What becomes of a key that finds no place, since all where it could stand owe something.
enum class WhenFull : std::uint8_t {
  kShare,   ///< it shares one bucket of the same rate with the others without a place
  kEvict,   ///< it takes the place of who owes least, and its debt
  kRefuse,  ///< it is refused
};

constexpr auto Names(Type<WhenFull>) {
  return std::array{Name<WhenFull>{"share", WhenFull::kShare},
                    Name<WhenFull>{"evict", WhenFull::kEvict},
                    Name<WhenFull>{"refuse", WhenFull::kRefuse}};
}

/// A rate for each key: client address, user, route, header.
struct KeyedLimiterOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};              ///< of each key; > 0
  std::uint64_t burst = 0;         ///< as in RateLimiterOptions
  Duration max_wait{0};            ///< a call may wait so long for its turn; 0: none waits
  std::uint32_t max_keys = 65536;  ///< owing at one time; 24 bytes each; fixed at construction
  WhenFull when_full = WhenFull::kShare;
};

constexpr auto Fields(Type<KeyedLimiterOptions>) {
  using O = KeyedLimiterOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{1'000'000'000, 1s},
            "permits in a time, for each key"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "permits at once after a rest; 0: what one second brings, at least 1"},
      Field{"max_wait", &O::max_wait, 0ms, 1min, "longest wait for a turn; 0: none waits"},
      Field{"max_keys", &O::max_keys, 16, 16'777'216,
            "keys remembered at one time, 24 bytes each; read at start"},
      Field{"when_full", &O::when_full, "share, evict or refuse: keys that find no place"},
  };
}

/// What surrounds a keyed limiter. The references outlive it.
struct KeyedLimiterContext {
  std::string name{};  ///< of the route or service, for events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
  Random* random = nullptr;  ///< draws the hash's secret, at construction only; null: the thread's
};

/// A RateLimiter for each key in a table whose size is decided at construction. A key that owes
/// nothing needs no cell: forgetting it is lossless, so that it is what makes room. There are three
/// cells for two of max_keys: so filled, a million keys were seen to find a place each. Keys are
/// known by 64 bits of a hash with a secret seed; nobody can aim at another's cell. A hit takes no
/// lock; a key's first call takes one of 32.
///
/// When all sixteen cells where a key may stand are owing, `when_full` decides. Whichever it is,
/// all cells and the shared bucket together admit no more than rate × t + burst each, however many
/// keys are invented. A key that moves between cell and shared bucket, or is evicted and comes back
/// to another cell, may take a burst of each. EventKind::kBound is told at most once a second, and
/// `overflowed` counts.
///
/// With `max_wait` a call that comes early reserves its key's next turn and is told how long to
/// wait; in shadow it is counted, and nobody waits. Thread-safe.
class KeyedLimiter {
 public:
  /// Proof of what was taken for a key.
  struct Taken {
    GcraTaken permits = {};
    std::uint64_t hash = 0;  ///< of the key; 0: from the shared bucket
    Duration wait{0};        ///< until its turn
  };

  explicit KeyedLimiter(const KeyedLimiterOptions& options, KeyedLimiterContext context = {});

  /// As RateLimiter::Take; with `max_wait` it may have to wait, but no longer than `longest`.
  std::expected<Taken, Rejection> Take(std::string_view key, TimePoint now,
                                       std::uint64_t weight = 1, Duration longest = kForever,
                                       EventSink* trail = nullptr);
  std::expected<Taken, Rejection> Take(std::string_view key) {
    return Take(key, context_.clock.Now());
  }
  /// It came to `actual` permits: what is missing is owed, what was too much is given back.
  void Settle(const Taken& taken, std::uint64_t actual, TimePoint now);
  /// As if it had not been taken; a turn that others wait behind is lost.
  void GiveBack(const Taken& taken, TimePoint now) { Settle(taken, 0, now); }

  /// Changes the rate and keeps each key's debt in permits; max_keys stays. O(max_keys).
  void Apply(const KeyedLimiterOptions& options, TimePoint now);
  void Apply(const KeyedLimiterOptions& options) { Apply(options, context_.clock.Now()); }

  /// Permits that the key could take now.
  std::uint64_t remaining(std::string_view key, TimePoint now) const;
  /// Keys that owe something now. O(max_keys).
  std::uint64_t live(TimePoint now) const;
  std::uint64_t cells() const { return set_count_ * kWays; }
  /// Takes of keys that found no place.
  std::uint64_t overflowed() const { return overflowed_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refusals_.refused(); }
  std::uint64_t would_refuse() const { return refusals_.would_refuse(); }  ///< in shadow

 private:
  static constexpr std::uint64_t kWays = 8;
  /// `hash` 0: empty. `word` is a GCRA word; kClaimed while the key is exchanged.
  struct Cell {
    std::atomic<std::uint64_t> hash{0};
    std::atomic<std::uint64_t> word{0};
  };
  static_assert(sizeof(Cell) == 16);
  struct alignas(64) Set {
    std::array<Cell, kWays> cells;
  };
  struct Places;

  Places PlacesOf(std::uint64_t hash) const;
  Cell* Find(const Places& places, std::uint64_t hash) const;
  std::optional<GcraStep> TakeFrom(Cell& cell, std::uint64_t hash, TimePoint now,
                                   const GcraAsk& ask);
  GcraStep TakeByHash(std::uint64_t& hash, TimePoint now, const GcraAsk& ask);
  Rejection RejectionOf(const GcraStep& step, const GcraAsk& ask) const;
  std::optional<GcraStep> Insert(const Places& places, std::uint64_t hash, TimePoint now,
                                 const GcraAsk& ask);
  GcraStep TakeWithoutPlace(std::uint64_t& hash, const Places& places, TimePoint now,
                            const GcraAsk& ask);
  std::optional<GcraStep> Evict(const Places& places, std::uint64_t hash, TimePoint now,
                                const GcraAsk& ask);
  Duration UntilFree(const Places& places, TimePoint now) const;
  bool SettleIn(Cell& cell, const Taken& taken, std::uint64_t actual, TimePoint now);
  void Place(Cell& cell, std::uint64_t hash, std::uint64_t word);
  void BringCell(Cell& cell, TimePoint now);
  void TellBound(TimePoint now);

  KeyedLimiterContext context_;
  HashSecret secret_;
  std::uint64_t set_count_;
  std::unique_ptr<Set[]> sets_;
  GcraPlans plans_;
  std::atomic<std::uint64_t> shared_;  // the bucket of those without a cell
  std::atomic<Mode> mode_;
  std::atomic<WhenFull> when_full_;
  std::atomic<std::int64_t> max_wait_;
  Refusals refusals_;
  std::atomic<std::uint64_t> overflowed_{0};
  std::atomic<std::int64_t> bound_told_;
  std::array<std::mutex, 32> inserting_;  // by hash: one key is inserted once
  std::mutex applying_;
};

}  // namespace hale::policy
