#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/guarded.h"
#include "hale/base/quantity.h"
#include "hale/base/time.h"
#include "hale/policy/keyed_hash.h"

namespace hale::policy {

/// What is remembered of answers that were good.
struct LastGoodOptions {
  Duration max_age{0};                   ///< an older one is no answer any more; 0: none is kept
  Size memory{std::uint64_t{16} << 20};  ///< of all that is kept, keys included
  std::uint32_t entries = 4096;          ///< answers kept at one time

  friend bool operator==(const LastGoodOptions&, const LastGoodOptions&) = default;
};

constexpr auto Fields(Type<LastGoodOptions>) {
  using O = LastGoodOptions;
  return std::tuple{
      Field{"max_age", &O::max_age, Duration(0), 24h * 7,
            "an older one is not given; 0: none kept"},
      Field{"memory", &O::memory, Size{4096}, Size{std::uint64_t{1} << 34}, "of all that is kept"},
      Field{"entries", &O::entries, 1, 1'000'000, "answers kept at one time"}};
}

/// An answer that was good, and how long ago.
struct LastGoodFound {
  std::shared_ptr<const void> value;
  Duration age{0};
};

/// How often what an answer is about, its subject, had changed. A default one is the mark of
/// nothing in particular: what it stands for may be dropped early.
struct LastGoodMark {
  std::uint32_t place = 0;
  std::uint32_t changes = 0;
};

/// The last good answer of each key, bounded in bytes and entries: what was used longest ago makes
/// room. An answer is counted with its key and kEntryBytes for what holds it. Changes are counted
/// in kPlaces, by the hash of what has changed: where two subjects meet in one, a change of either
/// loses the answers about both; none outlives a change. Pure: the time is handed in. Not
/// thread-safe; `LastGood` is this behind a lock.
class LastGoodCore {
 public:
  static constexpr std::size_t kEntryBytes = 256;
  static constexpr std::size_t kPlaces = 16384;  // 64 KiB; so many changes lose 63 % of the rest

  /// `secret`: nobody can choose keys that meet in the table.
  explicit LastGoodCore(const LastGoodOptions& options, HashSecret secret = {})
      : options_(options), by_key_(8, KeyedHasher{secret}) {}

  enum class Kept : std::uint8_t {
    kYes,
    kMadeRoom,  ///< yes, and another one was dropped for it
    kTooLarge,  ///< no: alone it is beyond the bound; what was there under its key is gone
    kNo,        ///< max_age is 0, or its subject has changed since it was asked for
  };
  /// Taken before an answer about the subject is asked for.
  LastGoodMark Mark(std::string_view subject) const;
  /// Replaces what is there. It is given until `now + min(max_age, good_for)`, or until its subject
  /// has changed since `asked`.
  Kept Keep(std::string_view key, std::shared_ptr<const void> value, std::size_t bytes,
            TimePoint now, Duration good_for = kForever, LastGoodMark asked = {});
  /// The subject has changed: no answer about it that has been asked for is given any more.
  void Outdate(std::string_view subject) { ++changes_[PlaceOf(subject)]; }
  /// What was kept under the key, if it is not too old; it counts as used.
  std::optional<LastGoodFound> Find(std::string_view key, TimePoint now);
  /// How long ago the key's answer was kept; kForever without one that may still be given. Not a
  /// use.
  Duration Age(std::string_view key, TimePoint now) const;
  /// Forgets the key; true if it was there.
  bool Drop(std::string_view key);
  /// New bounds, at once.
  void Apply(const LastGoodOptions& options);

  std::size_t bytes() const { return bytes_; }
  std::size_t entries() const { return by_use_.size(); }
  const LastGoodOptions& options() const { return options_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const void> value;
    std::size_t bytes = 0;
    TimePoint since{};
    Duration good_for = kForever;
    LastGoodMark asked;
  };
  using ByUse = std::list<Entry>;  // the latest first

  std::uint32_t PlaceOf(std::string_view subject) const;
  bool Outdated(const LastGoodMark& mark) const { return changes_[mark.place] != mark.changes; }
  Duration AgeOf(const Entry& entry, TimePoint now) const;
  void Remove(ByUse::iterator at);
  bool MakeRoom();

  LastGoodOptions options_;
  ByUse by_use_;
  // Of the entries' own keys.
  std::unordered_map<std::string_view, ByUse::iterator, KeyedHasher> by_key_;
  std::array<std::uint32_t, kPlaces> changes_{};
  std::size_t bytes_ = 0;
};

/// What surrounds it. The sink outlives it.
struct LastGoodContext {
  std::string name{};  ///< of the route, for events
  EventSink& events = NullSink();
  Random* random = nullptr;  ///< draws the hash's secret, at construction only; null: the thread's
};

/// A LastGoodCore for all threads, behind one lock: it is asked when a call has failed, and told at
/// most once in kRenewal for a key. When it is full and begins to drop it says so (kBound), once
/// until its bounds change. Thread-safe.
class LastGood {
 public:
  /// An answer younger than this is not replaced: copying each good answer of a busy key would
  /// cost more than a second's freshness of an emergency answer is worth.
  static constexpr Duration kRenewal = std::chrono::seconds(1);

  explicit LastGood(const LastGoodOptions& options, LastGoodContext context = {});

  /// Whether a good answer to this key is worth a copy.
  bool Wants(std::string_view key, TimePoint now) const;
  void Keep(std::string_view key, std::shared_ptr<const void> value, std::size_t bytes,
            TimePoint now, Duration good_for = kForever, LastGoodMark asked = {});
  LastGoodMark Mark(std::string_view subject) const;
  void Outdate(std::string_view subject);
  std::optional<LastGoodFound> Find(std::string_view key, TimePoint now);
  void Drop(std::string_view key);
  void Apply(const LastGoodOptions& options);

  std::size_t bytes() const;
  std::size_t entries() const;
  /// Answers dropped or refused for want of room.
  std::uint64_t dropped() const;

 private:
  struct State {
    State(const LastGoodOptions& options, HashSecret secret) : core(options, secret) {}
    LastGoodCore core;
    std::uint64_t dropped = 0;
    bool told = false;
  };
  const LastGoodContext context_;
  Guarded<State> state_;
};

}  // namespace hale::policy
