#include "hale/policy/pacer.h"

#include <algorithm>
#include <utility>

namespace hale::policy {

Pacer::Pacer(const PacerOptions& options, RateLimiterContext context)
    : context_(std::move(context)),
      plans_(MakeGcraPlan(options.rate, options.slack + 1)),
      mode_(options.mode),
      max_wait_(options.max_wait.count()),
      word_(GcraFresh(plans_.Load().now)) {}

std::expected<Pacer::Turn, Rejection> Pacer::Reserve(Mode mode, TimePoint now, Duration longest,
                                                     EventSink* trail) {
  const Duration patience = std::min(longest, Duration(max_wait_.load(std::memory_order_relaxed)));
  Turn turn;
  if (auto returned = TakeReturned(now, patience)) {
    turn = *returned;
  } else {
    const GcraStep step = GcraTakeShared(word_, plans_, now, {.weight = 1, .patience = patience});
    if (!step.admitted) {
      refusals_.Count(mode);
      const GcraPlan plan = plans_.Load().now;
      const double most = static_cast<double>(plan.burst) + GcraPermits(plan, patience);
      const Rejection rejection{Reason::kRateLimited, step.retry_after, step.owed, most};
      if (mode == Mode::kEnforce) return std::unexpected(rejection);
      TrailOr(trail, context_.events).On(WouldRefuse(rejection, context_.name, now));
      return {};
    }
    turn = {step.wait, {step.word, step.units, 1}};
  }
  if (turn.wait > Duration::zero()) delayed_.fetch_add(1, std::memory_order_relaxed);
  if (mode == Mode::kShadow) turn.wait = Duration::zero();
  return turn;
}

// All turns that were given back lie before the next new one, so that one which is still ahead is
// always better. One that has passed is lost: to use it now would be to go beside the next.
std::optional<Pacer::Turn> Pacer::TakeReturned(TimePoint now, Duration longest) {
  while (kept_.load(std::memory_order_relaxed) > 0) {
    const GcraPlan plan = plans_.Load().now;
    std::atomic<std::uint64_t>* earliest = nullptr;
    std::uint64_t its_word = 0;
    for (std::atomic<std::uint64_t>& place : returned_) {
      std::uint64_t word = place.load(std::memory_order_acquire);
      if (word == 0) continue;
      const bool ahead =
          GcraVersion(word) == plan.version && GcraWait(word, plan, now) > Duration::zero();
      if (!ahead) {
        if (place.compare_exchange_strong(word, 0, std::memory_order_relaxed)) {
          kept_.fetch_sub(1, std::memory_order_relaxed);
        }
      } else if (earliest == nullptr || word < its_word) {
        earliest = &place;
        its_word = word;
      }
    }
    if (earliest == nullptr) return std::nullopt;
    const Duration wait = GcraWait(its_word, plan, now);
    if (wait > longest) return std::nullopt;
    std::uint64_t word = its_word;
    if (!earliest->compare_exchange_strong(word, 0, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      continue;
    }
    kept_.fetch_sub(1, std::memory_order_relaxed);
    return Turn{wait, {its_word, std::uint64_t{1} << plan.shift, 1}};
  }
  return std::nullopt;
}

void Pacer::Keep(std::uint64_t word) {
  for (std::atomic<std::uint64_t>& place : returned_) {
    std::uint64_t empty = 0;
    if (!place.compare_exchange_strong(empty, word, std::memory_order_release,
                                       std::memory_order_relaxed)) {
      continue;
    }
    kept_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
}

void Pacer::Cancel(const Turn& turn, TimePoint now) {
  if (turn.taken.weight == 0) return;
  if (GcraSettleShared(word_, plans_, turn.taken, 0, now, GcraTurns::kReserved)) return;
  const GcraPlan plan = plans_.Load().now;
  if (GcraVersion(turn.taken.word) != plan.version) return;
  if (GcraWait(turn.taken.word, plan, now) > Duration::zero()) Keep(turn.taken.word);
}

void Pacer::Apply(const PacerOptions& options, TimePoint now) {
  const std::lock_guard lock(applying_);
  plans_.Replace(MakeGcraPlan(options.rate, options.slack + 1));
  GcraBringShared(word_, plans_, now);
  max_wait_.store(options.max_wait.count(), std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

Duration Pacer::wait(TimePoint now) const {
  const GcraView view = GcraLoadShared(word_, plans_, now);
  return GcraTake(view.word, view.plan, now, {.weight = 1, .patience = kForever}).wait;
}

}  // namespace hale::policy
