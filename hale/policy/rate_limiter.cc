#include "hale/policy/rate_limiter.h"

#include <utility>

namespace hale::policy {
namespace {

WarmUp::Options WarmUpOf(const RateLimiterOptions& options) {
  return {.rate = options.rate, .warm_up = options.warm_up, .cold = options.cold};
}

bool WarmsUp(const RateLimiterOptions& options) {
  return options.warm_up > Duration::zero() && options.cold > 1;
}

}  // namespace

RateLimiter::RateLimiter(const RateLimiterOptions& options, RateLimiterContext context)
    : context_(std::move(context)),
      plans_(MakeGcraPlan(options.rate, options.burst)),
      mode_(options.mode),
      warms_up_(WarmsUp(options)),
      word_(GcraFresh(plans_.Load().now)),
      warm_up_(WarmUpOf(options)) {}

std::expected<GcraTaken, Rejection> RateLimiter::Take(TimePoint now, std::uint64_t weight,
                                                      EventSink* trail) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff) return {};
  const GcraStep step = warms_up_.load(std::memory_order_relaxed)
                            ? TakeWarming(now, weight)
                            : GcraTakeShared(word_, plans_, now, {.weight = weight});
  if (step.admitted) [[likely]]
    return GcraTaken{step.word, step.units, weight};
  const auto refused = Refused(step, mode);
  if (mode == Mode::kEnforce) return refused;
  TrailOr(trail, context_.events).On(WouldRefuse(refused.error(), context_.name, now));
  return {};
}

GcraStep RateLimiter::TakeWarming(TimePoint now, std::uint64_t weight) {
  const auto warm_up = warm_up_.Lock();
  const GcraView view = GcraLoadShared(word_, plans_, now);
  const Duration idle = GcraIdleFor(view.word, view.plan, now);
  const auto permits = static_cast<double>(weight);
  const GcraAsk ask{.weight = weight, .surcharge = warm_up->Surcharge(permits, idle)};
  const GcraStep step = GcraTakeShared(word_, plans_, now, ask);
  if (step.admitted) warm_up->Take(permits, idle);
  return step;
}

std::unexpected<Rejection> RateLimiter::Refused(const GcraStep& step, Mode mode) {
  refusals_.Count(mode);
  return std::unexpected(Rejection{Reason::kRateLimited, step.retry_after, step.owed,
                                   static_cast<double>(plans_.Load().now.burst)});
}

void RateLimiter::Apply(const RateLimiterOptions& options, TimePoint now) {
  const std::lock_guard lock(applying_);
  plans_.Replace(MakeGcraPlan(options.rate, options.burst));
  GcraBringShared(word_, plans_, now);
  warm_up_.Lock()->Apply(WarmUpOf(options));
  warms_up_.store(WarmsUp(options), std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

std::uint64_t RateLimiter::remaining(TimePoint now) const {
  const GcraView view = GcraLoadShared(word_, plans_, now);
  return GcraRemaining(view.word, view.plan, now);
}

Duration RateLimiter::reset(TimePoint now) const {
  const GcraView view = GcraLoadShared(word_, plans_, now);
  return GcraReset(view.word, view.plan, now);
}

Event WouldRefuse(const Rejection& rejection, std::string_view name, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = EventKind::kWouldRefuse;
  event.reason = rejection.reason;
  event.policy = "rate_limiter";
  event.service = name;
  event.observed = rejection.observed;
  event.threshold = rejection.threshold;
  event.span = rejection.retry_after;
  event.detail = rejection.detail;
  return event;
}

Event Delayed(Duration wait, std::string_view name, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = EventKind::kDelayed;
  event.policy = "rate_limiter";
  event.service = name;
  event.span = wait;
  return event;
}

}  // namespace hale::policy
