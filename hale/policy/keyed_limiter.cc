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
      bound_told_(TimePoint::min().time_since_epoch().count()) {}

std::expected<void, Rejection> KeyedLimiter::Take(std::string_view key, TimePoint now,
                                                  std::uint64_t weight) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff || weight == 0) return {};
  const GcraStep step =
      TakeByHash(std::max<std::uint64_t>(KeyedHash(key, secret_), 1), now, weight);
  if (step.admitted) return {};
  refused_.fetch_add(1, std::memory_order_relaxed);
  const Rejection rejection{Reason::kRateLimited, step.retry_after, step.owed,
                            static_cast<double>(plans_.Load().now.burst)};
  if (mode == Mode::kEnforce) return std::unexpected(rejection);
  context_.events.On(WouldRefuse(rejection, context_.name, now));
  return {};
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

// A cell's words only grow while its plan stays, since only an idle word is claimed and what
// follows is in the future. So when the hash is still there after the word was read, and the word
// is still there when it is exchanged, nobody else's debt was touched.
std::optional<GcraStep> KeyedLimiter::TakeFrom(Cell& cell, std::uint64_t hash, TimePoint now,
                                               std::uint64_t weight) {
  while (true) {
    std::uint64_t seen = cell.word.load(std::memory_order_acquire);
    if (seen == kClaimed || cell.hash.load(std::memory_order_relaxed) != hash) return std::nullopt;
    const GcraPlans::Pair pair = plans_.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    const GcraStep step = GcraTake(*brought, pair.now, now, weight);
    if (!step.admitted ||
        cell.word.compare_exchange_weak(seen, step.word, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      return step;
    }
  }
}

GcraStep KeyedLimiter::TakeByHash(std::uint64_t hash, TimePoint now, std::uint64_t weight) {
  const Places places = PlacesOf(hash);
  Cell* cell = Find(places, hash);
  if (cell != nullptr) {
    if (const auto step = TakeFrom(*cell, hash, now, weight)) return *step;
  }
  // Its first call, or its cell was just taken by another key. Under the lock nobody else inserts
  // this key, so it never stands in two cells.
  {
    const std::lock_guard lock(inserting_[hash % inserting_.size()]);
    cell = Find(places, hash);
    if (cell != nullptr) {
      if (const auto step = TakeFrom(*cell, hash, now, weight)) return *step;
    }
    if (const auto step = Insert(places, hash, now, weight)) return *step;
  }
  overflowed_.fetch_add(1, std::memory_order_relaxed);
  TellBound(now);
  return GcraTakeShared(shared_, plans_, now, weight);
}

std::optional<GcraStep> KeyedLimiter::Insert(const Places& places, std::uint64_t hash,
                                             TimePoint now, std::uint64_t weight) {
  const GcraPlans::Pair pair = plans_.Load();  // stays while the lock is held
  const GcraStep step = GcraTake(GcraFresh(pair.now), pair.now, now, weight);
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
      cell.hash.store(hash, std::memory_order_relaxed);
      // Release: who sees the word sees whose it is.
      cell.word.store(step.word, std::memory_order_release);
      return step;
    }
  }
  return std::nullopt;
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
  event.detail = "keys without a place share one bucket";
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
  mode_.store(options.mode, std::memory_order_relaxed);
}

std::uint64_t KeyedLimiter::remaining(std::string_view key, TimePoint now) const {
  const std::uint64_t hash = std::max<std::uint64_t>(KeyedHash(key, secret_), 1);
  const GcraPlans::Pair pair = plans_.Load();
  std::uint64_t word = GcraFresh(pair.now);
  if (const Cell* cell = Find(PlacesOf(hash), hash)) {
    const std::uint64_t seen = cell->word.load(std::memory_order_acquire);
    // A claimed cell was idle, so that its key owed nothing.
    if (seen != kClaimed) word = plans_.Load().Bring(seen, now).value_or(word);
  }
  return GcraRemaining(word, pair.now, now);
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
