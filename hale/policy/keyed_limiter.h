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

namespace hale::policy {

/// A rate for each key: client address, user, route, header.
struct KeyedLimiterOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};
  std::uint64_t burst = 0;         ///< as in RateLimiterOptions
  std::uint32_t max_keys = 65536;  ///< owing at one time; 24 bytes each; fixed at construction
};

constexpr auto Fields(Type<KeyedLimiterOptions>) {
  using O = KeyedLimiterOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{1'000'000'000, 1s},
            "permits in a time, for each key"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "permits at once after a rest; 0: what one second brings, at least 1"},
      Field{"max_keys", &O::max_keys, 16, 16'777'216,
            "keys remembered at one time, 24 bytes each; read at start"},
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
/// When all sixteen cells where a key may stand are owing, it shares one bucket of the same rate
/// with the others that found no place (moving between the two, a key may take a burst of each);
/// EventKind::kBound is told at most once a second, and `overflowed` counts. Thread-safe.
class KeyedLimiter {
 public:
  explicit KeyedLimiter(const KeyedLimiterOptions& options, KeyedLimiterContext context = {});

  std::expected<void, Rejection> Take(std::string_view key, TimePoint now,
                                      std::uint64_t weight = 1);
  std::expected<void, Rejection> Take(std::string_view key) {
    return Take(key, context_.clock.Now());
  }

  /// Changes the rate and keeps each key's debt in permits; max_keys stays. O(max_keys).
  void Apply(const KeyedLimiterOptions& options, TimePoint now);
  void Apply(const KeyedLimiterOptions& options) { Apply(options, context_.clock.Now()); }

  /// Permits that the key could take now.
  std::uint64_t remaining(std::string_view key, TimePoint now) const;
  /// Keys that owe something now. O(max_keys).
  std::uint64_t live(TimePoint now) const;
  std::uint64_t cells() const { return set_count_ * kWays; }
  /// Takes decided by the shared bucket.
  std::uint64_t overflowed() const { return overflowed_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

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
                                   std::uint64_t weight);
  GcraStep TakeByHash(std::uint64_t hash, TimePoint now, std::uint64_t weight);
  std::optional<GcraStep> Insert(const Places& places, std::uint64_t hash, TimePoint now,
                                 std::uint64_t weight);
  void BringCell(Cell& cell, TimePoint now);
  void TellBound(TimePoint now);

  KeyedLimiterContext context_;
  HashSecret secret_;
  std::uint64_t set_count_;
  std::unique_ptr<Set[]> sets_;
  GcraPlans plans_;
  std::atomic<std::uint64_t> shared_;  // the bucket of those without a cell
  std::atomic<Mode> mode_;
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> overflowed_{0};
  std::atomic<std::int64_t> bound_told_;
  std::array<std::mutex, 32> inserting_;  // by hash: one key is inserted once
  std::mutex applying_;
};

}  // namespace hale::policy
