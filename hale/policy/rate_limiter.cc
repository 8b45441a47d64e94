#include "hale/policy/rate_limiter.h"

#include <utility>

namespace hale::policy {

RateLimiter::RateLimiter(const RateLimiterOptions& options, RateLimiterContext context)
    : context_(std::move(context)),
      plans_(MakeGcraPlan(options.rate, options.burst)),
      word_(GcraFresh(plans_.Load().now)),
      mode_(options.mode) {}

std::expected<void, Rejection> RateLimiter::Take(TimePoint now, std::uint64_t weight) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff) return {};
  const GcraStep step = GcraTakeShared(word_, plans_, now, weight);
  if (step.admitted) return {};
  refused_.fetch_add(1, std::memory_order_relaxed);
  const Rejection rejection{Reason::kRateLimited, step.retry_after, step.owed,
                            static_cast<double>(plans_.Load().now.burst)};
  if (mode == Mode::kEnforce) return std::unexpected(rejection);
  context_.events.On(WouldRefuse(rejection, context_.name, now));
  return {};
}

void RateLimiter::Apply(const RateLimiterOptions& options, TimePoint now) {
  const std::lock_guard lock(applying_);
  plans_.Replace(MakeGcraPlan(options.rate, options.burst));
  GcraBringShared(word_, plans_, now);
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
  return event;
}

}  // namespace hale::policy
