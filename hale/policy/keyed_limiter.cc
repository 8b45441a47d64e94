#include "hale/policy/keyed_limiter.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kClaimed = ~std::uint64_t{0};  // no GCRA word has this value
constexpr Duration kBetweenBounds = 1s;

std::uint64_t Scaled(std::uint64_t hash, std::uint64_t count) {
  return static_cast<std::uint64_t>((Wide{hash} * count) >> 64);
}

std::uint64_t SetsFor(std::uint64_t keys, std::uint64_t ways) {
  const std::uint64_t cells = std::max<std::uint64_t>(keys, 1) * 3 / 2;
  return (cells + ways - 1) / ways;
}

// Another place for the same hash (the finalizer of splitmix64).
std::uint64_t Mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string_view DetailOf(WhenFull when_full) {
  switch (when_full) {
    case WhenFull::kShare:
      break;
    case WhenFull::kEvict:
      return "new keys take the place of who owes least, and its debt";
    case WhenFull::kRefuse:
      return "new keys are refused";
  }
  return "keys without a place share one bucket";
}

Random& Or(Random* random) { return random != nullptr ? *random : ThreadRandom(); }

}  // namespace

/// The two sets in which a key may stand: with a choice of two, sets fill evenly (A. Broder,
/// M. Mitzenmacher, "Using multiple hash functions to improve IP lookups", 2001).
struct KeyedLimiter::Places {
  Set* first;
  Set* second;
};

KeyedLimiter::KeyedLimiter(const KeyedLimiterOptions& options, KeyedLimiterContext context)
    : context_(std::move(context)),
      secret_(HashSecret::Draw(Or(context_.random))),
      set_count_(SetsFor(options.max_keys, kWays)),
      sets_(std::make_unique<Set[]>(set_count_)),
      plans_(MakeGcraPlan(options.rate, options.burst)),
      shared_(GcraFresh(plans_.Load().now)),
      mode_(options.mode),
      when_full_(options.when_full),
      max_wait_(options.max_wait.count()),
      bound_told_(TimePoint::min().time_since_epoch().count()) {}

std::expected<KeyedLimiter::Taken, Rejection> KeyedLimiter::Take(
    std::string_view key, TimePoint now, std::uint64_t weight, Duration longest, EventSink* trail) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff || weight == 0) return {};
  const Duration max_wait(max_wait_.load(std::memory_order_relaxed));
  const GcraAsk ask{.weight = weight, .patience = std::min(max_wait, longest)};
  std::uint64_t hash = std::max<std::uint64_t>(KeyedHash(key, secret_), 1);
  const GcraStep step = TakeByHash(hash, now, ask);
  if (step.admitted) {
    const Duration wait = mode == Mode::kShadow ? Duration::zero() : step.wait;
    return Taken{{step.word, step.units, weight}, hash, wait};
  }
  refusals_.Count(mode);
  const Rejection rejection = RejectionOf(step, ask);
  if (mode == Mode::kEnforce) return std::unexpected(rejection);
  TrailOr(trail, context_.events).On(WouldRefuse(rejection, context_.name, now));
  return {};
}

/// Without a place it owes nothing, and is held against nothing.
Rejection KeyedLimiter::RejectionOf(const GcraStep& step, const GcraAsk& ask) const {
  if (step.owed == 0) {
    return {.reason = Reason::kRateLimited,
            .retry_after = step.retry_after,
            .detail = "no place for its key"};
  }
  const GcraPlan plan = plans_.Load().now;
  const Duration waits = step.retry_after == kForever ? Duration::zero() : ask.patience;
  const double most = static_cast<double>(plan.burst) + GcraPermits(plan, waits);
  return {Reason::kRateLimited, step.retry_after, step.owed, most};
}

KeyedLimiter::Places KeyedLimiter::PlacesOf(std::uint64_t hash) const {
  return {&sets_[Scaled(hash, set_count_)], &sets_[Scaled(Mixed(hash), set_count_)]};
}

KeyedLimiter::Cell* KeyedLimiter::Find(const Places& places, std::uint64_t hash) const {
  for (Set* set : {places.first, places.second}) {
    for (Cell& cell : set->cells) {
      // Relaxed: TakeFrom looks again after it has the word.
      if (cell.hash.load(std::memory_order_relaxed) == hash) return &cell;
    }
  }
  return nullptr;
}

// When the hash is still there after the word was read, and the word is still there when it is
// exchanged, nobody else's debt is touched: who takes a cell over leaves a later word in it. Only a
// word that was given back to could be the same again by chance, to the unit of time; then one call
// is counted for the other key.
std::optional<GcraStep> KeyedLimiter::TakeFrom(Cell& cell, std::uint64_t hash, TimePoint now,
                                               const GcraAsk& ask) {
  while (true) {
    std::uint64_t seen = cell.word.load(std::memory_order_acquire);
    if (seen == kClaimed || cell.hash.load(std::memory_order_relaxed) != hash) return std::nullopt;
    const GcraPlans::Pair pair = plans_.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    const GcraStep step = GcraTake(*brought, pair.now, now, ask);
    if (!step.admitted ||
        cell.word.compare_exchange_weak(seen, step.word, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      return step;
    }
  }
}

/// `hash` becomes 0 when the shared bucket decided.
GcraStep KeyedLimiter::TakeByHash(std::uint64_t& hash, TimePoint now, const GcraAsk& ask) {
  const Places places = PlacesOf(hash);
  Cell* cell = Find(places, hash);
  if (cell != nullptr) {
    if (const auto step = TakeFrom(*cell, hash, now, ask)) return *step;
  }
  // Its first call, or its cell was just taken by another key. Under the lock nobody else inserts
  // this key, so it never stands in two cells.
  std::optional<GcraStep> evicting;
  {
    const std::lock_guard lock(inserting_[hash % inserting_.size()]);
    cell = Find(places, hash);
    if (cell != nullptr) {
      if (const auto step = TakeFrom(*cell, hash, now, ask)) return *step;
    }
    if (const auto step = Insert(places, hash, now, ask)) return *step;
    if (when_full_.load(std::memory_order_relaxed) == WhenFull::kEvict) {
      evicting = Evict(places, hash, now, ask);
    }
  }
  overflowed_.fetch_add(1, std::memory_order_relaxed);
  TellBound(now);
  return evicting ? *evicting : TakeWithoutPlace(hash, places, now, ask);
}

GcraStep KeyedLimiter::TakeWithoutPlace(std::uint64_t& hash, const Places& places, TimePoint now,
                                        const GcraAsk& ask) {
  if (when_full_.load(std::memory_order_relaxed) == WhenFull::kRefuse) {
    return {.retry_after = UntilFree(places, now)};
  }
  hash = 0;
  return GcraTakeShared(shared_, plans_, now, ask);
}

/// Stands in a claimed cell from now on.
void KeyedLimiter::Place(Cell& cell, std::uint64_t hash, std::uint64_t word) {
  cell.hash.store(hash, std::memory_order_relaxed);
  cell.word.store(word, std::memory_order_release);  // who sees the word sees whose it is
}

std::optional<GcraStep> KeyedLimiter::Insert(const Places& places, std::uint64_t hash,
                                             TimePoint now, const GcraAsk& ask) {
  const GcraPlans::Pair pair = plans_.Load();  // stays while the lock is held
  const GcraStep step = GcraTake(GcraFresh(pair.now), pair.now, now, ask);
  if (!step.admitted) return step;
  const auto is_free = [&](std::uint64_t word) {
    if (word == kClaimed) return false;
    const auto brought = pair.Bring(word, now);
    return brought && GcraIdle(*brought, pair.now, now);
  };
  const auto free_in = [&](const Set& set) {
    return std::count_if(set.cells.begin(), set.cells.end(), [&](const Cell& cell) {
      return is_free(cell.word.load(std::memory_order_acquire));
    });
  };
  Set* emptier = places.first;
  Set* fuller = places.second;
  if (free_in(*emptier) < free_in(*fuller)) std::swap(emptier, fuller);
  for (Set* set : {emptier, fuller}) {
    for (Cell& cell : set->cells) {
      std::uint64_t word = cell.word.load(std::memory_order_acquire);
      if (!is_free(word) ||
          !cell.word.compare_exchange_strong(word, kClaimed, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        continue;
      }
      Place(cell, hash, step.word);
      return step;
    }
  }
  return std::nullopt;
}

// Like the least counter of A. Metwally et al., "Efficient computation of frequent and top-k
// elements in data streams", 2005: who comes inherits what was owed there, so that inventing keys
// forgives no debt.
std::optional<GcraStep> KeyedLimiter::Evict(const Places& places, std::uint64_t hash, TimePoint now,
                                            const GcraAsk& ask) {
  const GcraPlans::Pair pair = plans_.Load();
  Cell* least = nullptr;
  std::uint64_t its_word = kClaimed;
  for (Set* set : {places.first, places.second}) {
    for (Cell& cell : set->cells) {
      const std::uint64_t word = cell.word.load(std::memory_order_acquire);
      // One that is just being brought to a new plan is left alone.
      if (word == kClaimed || GcraVersion(word) != pair.now.version || word >= its_word) continue;
      least = &cell;
      its_word = word;
    }
  }
  if (least == nullptr) return std::nullopt;
  const GcraStep step = GcraTake(its_word, pair.now, now, ask);
  if (!step.admitted) return step;
  if (!least->word.compare_exchange_strong(its_word, kClaimed, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
    return std::nullopt;
  }
  Place(*least, hash, step.word);
  return step;
}

/// Until one of the cells where a key may stand owes nothing.
Duration KeyedLimiter::UntilFree(const Places& places, TimePoint now) const {
  const GcraPlans::Pair pair = plans_.Load();
  Duration least = kForever;
  for (const Set* set : {places.first, places.second}) {
    for (const Cell& cell : set->cells) {
      const std::uint64_t word = cell.word.load(std::memory_order_acquire);
      const auto brought = word == kClaimed ? std::nullopt : pair.Bring(word, now);
      if (brought) least = std::min(least, GcraReset(*brought, pair.now, now));
    }
  }
  return least;
}

void KeyedLimiter::Settle(const Taken& taken, std::uint64_t actual, TimePoint now) {
  if (taken.permits.weight == 0 || actual == taken.permits.weight) return;
  if (taken.hash == 0) {
    GcraSettleShared(shared_, plans_, taken.permits, actual, now, GcraTurns::kReserved);
    return;
  }
  const Places places = PlacesOf(taken.hash);
  Cell* cell = Find(places, taken.hash);
  if (cell != nullptr && SettleIn(*cell, taken, actual, now)) return;
  // Its debt was paid and its cell given away: there is nothing to give back.
  if (actual < taken.permits.weight) return;
  const std::lock_guard lock(inserting_[taken.hash % inserting_.size()]);
  cell = Find(places, taken.hash);
  if (cell != nullptr && SettleIn(*cell, taken, actual, now)) return;
  const GcraPlan plan = plans_.Load().now;
  const std::uint64_t more = actual - taken.permits.weight;
  const double beyond = static_cast<double>(more - 1);
  if (Insert(places, taken.hash, now, {.weight = 1, .surcharge = beyond})) return;
  const GcraTaken none{GcraFresh(plan), std::uint64_t{1} << plan.shift, 1};
  GcraSettleShared(shared_, plans_, none, more + 1, now);
}

bool KeyedLimiter::SettleIn(Cell& cell, const Taken& taken, std::uint64_t actual, TimePoint now) {
  while (true) {
    std::uint64_t seen = cell.word.load(std::memory_order_acquire);
    if (seen == kClaimed || cell.hash.load(std::memory_order_relaxed) != taken.hash) return false;
    const GcraPlans::Pair pair = plans_.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    const GcraTaken gone{GcraFresh(pair.now), taken.permits.weight << pair.now.shift,
                         taken.permits.weight};
    const GcraTaken then = pair.Bring(taken.permits, now).value_or(gone);
    const std::uint64_t settled =
        GcraSettle(*brought, pair.now, then, actual, now, GcraTurns::kReserved);
    if (cell.word.compare_exchange_weak(seen, settled, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      return true;
    }
  }
}

void KeyedLimiter::TellBound(TimePoint now) {
  std::int64_t last = bound_told_.load(std::memory_order_relaxed);
  const TimePoint next = SaturatingAdd(TimePoint(Duration(last)), kBetweenBounds);
  if (now < next) return;
  if (!bound_told_.compare_exchange_strong(last, now.time_since_epoch().count(),
                                           std::memory_order_relaxed)) {
    return;
  }
  Event event;
  event.at = now;
  event.kind = EventKind::kBound;
  event.reason = Reason::kRateLimited;
  event.policy = "rate_limiter";
  event.service = context_.name;
  event.observed = static_cast<double>(overflowed());
  event.threshold = static_cast<double>(cells());
  event.detail = DetailOf(when_full_.load(std::memory_order_relaxed));
  context_.events.On(event);
}

// A claimed cell is left: whoever claims after the change stores a word of the new plan.
void KeyedLimiter::BringCell(Cell& cell, TimePoint now) {
  std::uint64_t seen = cell.word.load(std::memory_order_acquire);
  while (seen != kClaimed) {
    const auto brought = plans_.Load().Bring(seen, now);
    if (brought && cell.word.compare_exchange_weak(seen, *brought, std::memory_order_release,
                                                   std::memory_order_acquire)) {
      return;
    }
    if (!brought) seen = cell.word.load(std::memory_order_acquire);
  }
}

void KeyedLimiter::Apply(const KeyedLimiterOptions& options, TimePoint now) {
  const std::lock_guard lock(applying_);
  // Nobody inserts meanwhile: a word that is stored, not exchanged, is of the plan in force.
  for (std::mutex& inserting : inserting_) inserting.lock();
  plans_.Replace(MakeGcraPlan(options.rate, options.burst));
  for (std::mutex& inserting : inserting_) inserting.unlock();
  for (std::uint64_t i = 0; i < set_count_; ++i) {
    for (Cell& cell : sets_[i].cells) {
      BringCell(cell, now);
    }
  }
  GcraBringShared(shared_, plans_, now);
  when_full_.store(options.when_full, std::memory_order_relaxed);
  max_wait_.store(options.max_wait.count(), std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

std::uint64_t KeyedLimiter::remaining(std::string_view key, TimePoint now) const {
  const std::uint64_t hash = std::max<std::uint64_t>(KeyedHash(key, secret_), 1);
  const Cell* const cell = Find(PlacesOf(hash), hash);
  while (true) {
    const std::uint64_t seen =
        cell != nullptr ? cell->word.load(std::memory_order_acquire) : kClaimed;
    // After the word, and one for both: a word of one plan says nothing in another.
    const GcraPlans::Pair pair = plans_.Load();
    // A claimed cell was idle, so that its key owed nothing.
    const auto word = seen == kClaimed ? GcraFresh(pair.now) : pair.Bring(seen, now);
    if (word) return GcraRemaining(*word, pair.now, now);
  }
}

std::uint64_t KeyedLimiter::live(TimePoint now) const {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < set_count_; ++i) {
    for (const Cell& cell : sets_[i].cells) {
      const std::uint64_t seen = cell.word.load(std::memory_order_acquire);
      const GcraPlans::Pair pair = plans_.Load();
      const auto word = seen == kClaimed ? std::nullopt : pair.Bring(seen, now);
      count += word && GcraIdle(*word, pair.now, now) ? 0 : 1;
    }
  }
  return count;
}

}  // namespace hale::policy
