#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/guarded.h"
#include "hale/telemetry/fixed_text.h"

namespace hale::telemetry {

/// An event that is kept: an Event that owns its words, cut to fit a record of a fixed size.
struct JournalEntry {
  std::uint64_t sequence = 0;  ///< 1, 2, 3 ... without gaps
  std::uint64_t count = 1;     ///< how many alike it stands for
  TimePoint at{};              ///< of the last of them
  WallTime time{};             ///< the same on the calendar
  EventKind kind = EventKind::kRefused;
  Reason reason = Reason::kNone;
  FixedText<24> policy;
  FixedText<64> service;
  FixedText<64> instance;
  double observed = 0;
  double threshold = 0;
  Duration span{0};
  FixedText<192> detail;

  /// As an event again; its views are into me.
  Event ToEvent() const;
};

/// The last events of a process. Decisions about single calls (refused, retried, raced ...) can
/// come by the thousand a second and would push out what matters: the first of a kind is entered at
/// once, those like it in the next second are counted and entered together. That is done for 64
/// kinds at a time; while all have their second, what is of another kind is folded with whatever
/// has the same event, reason and policy, and what they do not have in common is not said.
/// Thread-safe: a mutex for about 100 ns, which only decisions pay, never a plain call.
class Journal {
 public:
  /// The clock outlives me. `capacity` entries of about 450 bytes are allocated at once.
  explicit Journal(const Clock& clock, std::size_t capacity = 4096);

  void Add(const Event& event) noexcept;

  struct Page {
    std::vector<JournalEntry> entries;  ///< oldest first
    std::uint64_t next = 0;             ///< pass it to Since to go on
    std::uint64_t lost = 0;             ///< entries after `after` that were overwritten before
  };
  /// Entries with a sequence above `after`, at most `limit`.
  Page Since(std::uint64_t after, std::size_t limit = 1000);
  /// The number of the last entry; 0 when there was none.
  std::uint64_t last() const;
  std::uint64_t overwritten() const;

 private:
  static constexpr std::size_t kFolds = 64;
  struct Fold {
    std::uint64_t waiting = 0;  // like the last, not yet entered
    bool mixed = false;         // they differ somewhere: the figures are nobody's
    JournalEntry last;
  };
  struct Folds {
    // Apart from the folds, since all are looked through for each decision.
    std::array<std::uint64_t, kFolds> hashes{};
    std::array<TimePoint, kFolds> untils{};
    std::array<Fold, kFolds> folds{};
  };
  struct State {
    explicit State(std::size_t capacity) : ring(capacity) {}
    std::vector<JournalEntry> ring;
    std::uint64_t last = 0;
    Folds kinds;
    Folds others;               // of kinds that have no place there
    std::uint64_t waiting = 0;  // folds that have something waiting
  };
  static std::size_t PlaceOf(const Folds& folds, std::uint64_t hash);
  static bool EnterOrFold(State& state, Folds& folds, std::uint64_t hash, const JournalEntry& entry,
                          TimePoint now);
  static void Join(Fold& fold, const JournalEntry& entry);
  static void Enter(State& state, const JournalEntry& entry);
  static void Release(State& state, Fold& fold);
  static void ReleaseDue(State& state, TimePoint now);

  const Clock& clock_;
  Guarded<State> state_;
};

/// One entry as a JSON object, for `/journal`. Pure.
std::string JournalJson(const JournalEntry& entry);

}  // namespace hale::telemetry
