#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/guarded.h"
#include "hale/base/time.h"
#include "hale/policy/keyed_hash.h"
#include "hale/policy/mode.h"

namespace hale::policy {

struct SingleFlightOptions {
  Mode mode = Mode::kOff;
  std::uint32_t max_keys = 16384;  ///< calls under way that may be joined; others go alone

  friend bool operator==(const SingleFlightOptions&, const SingleFlightOptions&) = default;
};

constexpr auto Fields(Type<SingleFlightOptions>) {
  using O = SingleFlightOptions;
  return std::tuple{Field{"mode", &O::mode, "off, shadow (only says so) or enforce"},
                    Field{"max_keys", &O::max_keys, 1, 1'000'000,
                          "calls under way that may be joined; beyond, each goes alone"}};
}

/// What surrounds it. The sink outlives it.
struct SingleFlightContext {
  std::string name{};  ///< of the route or guard, for events
  EventSink& events = NullSink();
  Random* random = nullptr;  ///< draws the hash's secret, at construction only; null: the thread's
};

/// Identical calls that come while one of them is under way wait for its answer instead of being
/// made (the Go library x/sync/singleflight, 2013; "collapsed forwarding" of proxies): the cure for
/// a cache whose entry everybody misses at once. Who comes first leads, the others follow. Nothing
/// is remembered after the landing.
/// One table for all threads in 16 parts with a lock each, held for a look-up; who leads allocates
/// its entry, who follows is a link in it and allocates nothing. Outlives all who use it.
/// Thread-safe.
class SingleFlight {
  struct Flight;

 public:
  /// What a flight comes to for those who followed.
  enum class Landing : std::uint8_t {
    kShared,  ///< here is the answer, or the failure
    kAlone,   ///< it is not to be shared: each makes its own call
    kAgain,   ///< it ended for a reason that was the leader's own: join once more
  };
  struct Landed {
    Landing how = Landing::kAgain;
    std::shared_ptr<const void> what = nullptr;
  };

  /// Told, by the thread of the last follower that left, that a leader whose caller had gone need
  /// not go on; ask Abandon once more, somebody may have come. Holds no lock.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnDeserted() noexcept = 0;
  };

  /// One caller that waits; it lives in the caller. Once it follows it ends in exactly one of two
  /// ways: OnLanded() is called, or Leave() returns true. Not touched afterwards.
  class Follower {
   public:
    Follower() = default;
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;
    virtual ~Follower() = default;
    /// Called once, by the leader's thread, which holds no lock; be quick, wake your own thread.
    virtual void OnLanded() noexcept = 0;
    /// What it came to; after OnLanded().
    const Landed& landed() const { return landed_; }

   private:
    friend class SingleFlight;
    Flight* flight_ = nullptr;
    Follower* previous_ = nullptr;
    Follower* next_ = nullptr;
    std::size_t shard_ = 0;
    Landed landed_;
  };

  /// A call that is made for all who follow. Dropped without a landing it lands kAgain.
  class [[nodiscard]] Lead {
   public:
    Lead();
    Lead(Lead&& other) noexcept;
    Lead& operator=(Lead&& other) noexcept;
    ~Lead();
    explicit operator bool() const { return flight_ != nullptr; }

    /// Ends the flight: gives what it came to to all who follow. A second time nothing happens.
    void Land(Landed landed);
    /// Who follows now.
    std::size_t followers() const;
    /// The leader's own caller has gone. True: nobody follows, nobody will, stop the call. False:
    /// go on for the others; `observer` hears when the last of them has left.
    [[nodiscard]] bool Abandon(std::shared_ptr<Observer> observer);

   private:
    friend class SingleFlight;
    Lead(SingleFlight& owner, std::unique_ptr<Flight> flight);
    SingleFlight* owner_ = nullptr;
    std::unique_ptr<Flight> flight_;
  };

  explicit SingleFlight(const SingleFlightOptions& options = {}, SingleFlightContext context = {});
  ~SingleFlight();
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  enum class Part : std::uint8_t {
    kLeads,    ///< make the call with `lead`
    kFollows,  ///< wait for `follower`
    kAlone,    ///< make the call for yourself: off, in shadow, or max_keys calls are under way
  };
  struct Joined {
    Part part = Part::kAlone;
    Lead lead = {};
  };
  /// Leads the key's flight or follows it. In shadow who would follow goes alone, and the call's
  /// `trail` is told.
  Joined Join(std::string_view key, Follower& follower, TimePoint now, EventSink* trail = nullptr);
  /// Stops waiting. True: it has not landed for this follower and never will. False: it has, and
  /// OnLanded() has run or is about to; wait for it.
  [[nodiscard]] bool Leave(Follower& follower);

  void Apply(const SingleFlightOptions& options);
  Mode mode() const { return mode_.load(std::memory_order_relaxed); }
  /// Calls under way that may be joined.
  std::size_t flights() const { return flights_.load(std::memory_order_relaxed); }
  /// How often a call has followed another one.
  std::uint64_t joined() const { return joined_.load(std::memory_order_relaxed); }

 private:
  using Table = std::unordered_map<std::string_view, Flight*, KeyedHasher>;  // by their own keys
  static constexpr std::size_t kParts = 16;
  struct alignas(64) Shard {
    explicit Shard(HashSecret secret) : table(8, KeyedHasher{secret}) {}
    Guarded<Table> table;
  };

  void Close(Table& table, Flight& flight);
  void Tell(EventKind kind, std::string_view detail, TimePoint now, EventSink& sink) const;

  const SingleFlightContext context_;
  const HashSecret secret_;
  std::array<std::unique_ptr<Shard>, kParts> shards_;
  std::atomic<Mode> mode_;
  std::atomic<std::uint32_t> max_keys_;
  std::atomic<std::size_t> flights_{0};
  std::atomic<std::uint64_t> joined_{0};
  std::atomic<bool> told_full_{false};
};

}  // namespace hale::policy
