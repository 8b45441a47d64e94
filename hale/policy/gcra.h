#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "hale/base/quantity.h"
#include "hale/base/seq_cell.h"
#include "hale/base/time.h"

namespace hale::policy {

/// The generic cell rate algorithm (ITU-T I.371, 1993, annex A) in whole numbers. Its one state is
/// the theoretical arrival time: the instant at which all that was taken has been paid back.
///
/// Time is counted in units of which one permit is exactly 2^shift, so that taking never rounds;
/// only reading the clock does, down to a unit. The shift is chosen so that a unit is between half
/// a nanosecond and one: every rate from 1/year to 10^9/s is kept exactly, and a word of 60 bits
/// lasts 18 years from the clock's zero, the machine's start. Very slow rates with a large burst
/// get longer units.

/// What a rate and a burst are in units. Trivially copyable.
struct GcraPlan {
  std::uint64_t per_ns = 0;   ///< units a nanosecond, × 2^62, rounded up
  std::uint32_t shift = 0;    ///< a permit is 2^shift units
  std::uint32_t version = 0;  ///< 0 to 15: which plan a word belongs to
  std::uint64_t burst = 0;    ///< in permits; 0: nothing ever passes
};

/// `rate` with `burst` permits at once (0: what one second brings, at least 1). A rate of 0 admits
/// nothing. Pure.
GcraPlan MakeGcraPlan(Rate rate, std::uint64_t burst);

/// A word: 4 bits of version, 60 bits of theoretical arrival time in units.
inline constexpr std::uint32_t kGcraValueBits = 60;
inline constexpr std::uint64_t kGcraValueMask = (std::uint64_t{1} << kGcraValueBits) - 1;
constexpr std::uint32_t GcraVersion(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> kGcraValueBits);
}

/// What is asked of a word.
struct GcraAsk {
  std::uint64_t weight = 1;  ///< permits
  Duration patience{0};      ///< the longest wait that is accepted: then its turn is reserved
  double surcharge = 0;      ///< permits that are owed besides, once it is admitted
};

/// What asking for permits comes to.
struct GcraStep {
  std::uint64_t word = 0;  ///< the new word; the old one if refused
  bool admitted = false;
  Duration wait{0};         ///< until its turn, if admitted; 0: now
  Duration retry_after{0};  ///< of a refusal: until the same is admitted; kForever: never
  double owed = 0;          ///< of a refusal: permits that would then be owed
  std::uint64_t units = 0;  ///< what admitting cost
};

/// Proof of what was taken, with which it can be given back or corrected. A value; the default one
/// took nothing.
struct GcraTaken {
  std::uint64_t word = 0;    ///< as taking left it
  std::uint64_t units = 0;   ///< what it cost; 0: nothing
  std::uint64_t weight = 0;  ///< for so many permits
};

/// Asks for permits at `now`. `word` is of the plan's version. Pure.
GcraStep GcraTake(std::uint64_t word, const GcraPlan& plan, TimePoint now, const GcraAsk& ask);
inline GcraStep GcraTake(std::uint64_t word, const GcraPlan& plan, TimePoint now,
                         std::uint64_t weight) {
  return GcraTake(word, plan, now, GcraAsk{weight});
}
/// Whether turns that were reserved by waiters lie ahead in a word.
enum class GcraTurns : std::uint8_t {
  kNone,      ///< nobody waits: only how much is owed matters
  kReserved,  ///< a turn amid others is not given out again, or two would go at once
};
/// Corrects what was taken to `actual` permits: what is missing is owed from now on, what was too
/// much is given back. At most that is given back which time has not paid yet, so that no call gets
/// more than if it had asked for `actual` at once. `word` and `taken` are of the plan's version.
/// Pure.
std::uint64_t GcraSettle(std::uint64_t word, const GcraPlan& plan, const GcraTaken& taken,
                         std::uint64_t actual, TimePoint now, GcraTurns turns);
/// Permits owed at `now`: 0 after a rest, the burst when nothing is left. Pure.
double GcraOwed(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// Whether all that was taken is paid back: forgetting the word then admits no more. Pure.
bool GcraIdle(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// Permits that could be taken at `now`. Pure.
std::uint64_t GcraRemaining(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// How long until the whole burst is there. Pure.
Duration GcraReset(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// A word of `plan` that owes nothing. Pure.
std::uint64_t GcraFresh(const GcraPlan& plan);
/// How long until the turn of who took a word; 0 if it has come. Pure.
Duration GcraWait(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// Permits that come in `span`. Pure.
double GcraPermits(const GcraPlan& plan, Duration span);
/// The span since which nothing is owed; 0 while something is. Pure.
Duration GcraIdleFor(std::uint64_t word, const GcraPlan& plan, TimePoint now);
/// The word under another plan, owing as many permits. Pure.
std::uint64_t GcraConvert(std::uint64_t word, const GcraPlan& from, const GcraPlan& to,
                          TimePoint now);

/// The plan in force and the one before it, replaced as one while others read. One writer at a
/// time, which brings every word to the new plan before the next one. Thread-safe.
class GcraPlans {
 public:
  struct Pair {
    GcraPlan now;
    GcraPlan before;

    /// `word` under the plan in force; nothing if it is of neither, since then it was replaced
    /// after it was loaded. Load the word first, with acquire, then the pair.
    std::optional<std::uint64_t> Bring(std::uint64_t word, TimePoint at) const {
      if (GcraVersion(word) == now.version) return word;
      if (GcraVersion(word) == before.version) return GcraConvert(word, before, now, at);
      return std::nullopt;
    }
    /// The same for a receipt.
    std::optional<GcraTaken> Bring(const GcraTaken& taken, TimePoint at) const;
  };

  explicit GcraPlans(const GcraPlan& plan) : pair_({plan, plan}) {}
  Pair Load() const { return pair_.Load(); }
  /// Puts `plan` in force, with the next version.
  void Replace(GcraPlan plan);

 private:
  SeqCell<Pair> pair_;
};

/// GcraTake on a shared word. Thread-safe.
GcraStep GcraTakeShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans, TimePoint now,
                        const GcraAsk& ask);
/// GcraSettle on a shared word. What was taken two plans ago is not given back, what is missing of
/// it is owed. False: nothing was changed. Thread-safe.
bool GcraSettleShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans,
                      const GcraTaken& taken, std::uint64_t actual, TimePoint now,
                      GcraTurns turns = GcraTurns::kNone);
/// Brings a shared word to the plan in force. Thread-safe.
void GcraBringShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans, TimePoint now);
/// A shared word and the plan it is under, for reading. Thread-safe.
struct GcraView {
  std::uint64_t word;
  GcraPlan plan;
};
GcraView GcraLoadShared(const std::atomic<std::uint64_t>& word, const GcraPlans& plans,
                        TimePoint now);

}  // namespace hale::policy
