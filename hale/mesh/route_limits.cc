#include "hale/mesh/route_limits.h"

#include <algorithm>

#include "hale/policy/client_key.h"

namespace hale::mesh {
namespace {

std::uint64_t BurstOf(const LimitOptions& options) {
  return options.kind == LimitKind::kPacing ? std::max<std::uint64_t>(options.burst, 1)
                                            : options.burst;
}

policy::RateLimiterOptions ToBucket(const LimitOptions& options) {
  return {.mode = options.mode,
          .rate = options.rate,
          .burst = options.burst,
          .warm_up = options.warm_up,
          .cold = options.cold};
}

policy::PacerOptions ToPacer(const LimitOptions& options) {
  return {.mode = options.mode,
          .rate = options.rate,
          .slack = BurstOf(options) - 1,
          .max_wait = options.max_wait};
}

policy::SlidingLogOptions ToLog(const LimitOptions& options) {
  return {.mode = options.mode, .rate = options.rate};
}

policy::KeyedLimiterOptions ToKeyed(const LimitOptions& options) {
  const bool paces = options.kind == LimitKind::kPacing;
  return {.mode = options.mode,
          .rate = options.rate,
          .burst = BurstOf(options),
          .max_wait = paces ? options.max_wait : Duration::zero(),
          .max_keys = options.max_keys,
          .when_full = options.when_full};
}

std::uint64_t WeightOf(const LimitOptions& options) {
  if (options.cost == LimitCost::kRequests) return 1;
  const std::uint64_t burst = policy::MakeGcraPlan(options.rate, options.burst).burst;
  return std::min(options.estimate, std::max<std::uint64_t>(burst, 1));
}

std::string_view WordOf(LimitKind kind) {
  for (const auto& name : Names(Type<LimitKind>{})) {
    if (name.value == kind) return name.word;
  }
  return "?";
}

/// `second limit of the route (5/s by header:x-user)`, or `limit of ...` if it is the only one.
std::string WhichOf(const RouteLimit& limit, LimitOf of, std::size_t place, std::size_t all) {
  constexpr std::array<std::string_view, kMostLimits> kOrdinals = {
      "first ", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth "};
  const LimitOptions& options = limit.options();
  std::string which(all > 1 ? kOrdinals[place - 1] : std::string_view());
  which.append("limit of the ").append(of == LimitOf::kRoute ? "route" : "service");
  which.append(" (").append(Print(options.rate));
  if (options.cost == LimitCost::kBytes) which.append(" bytes");
  return which.append(" by ").append(options.by).append(")");
}

void Append(const RouteLimits::List& list, LimitOf of, std::vector<ListedLimit>& to) {
  const std::size_t all = std::min(list.size(), kMostLimits);
  for (std::size_t i = 0; i < all; ++i) {
    to.push_back({list[i], of, i + 1, WhichOf(*list[i], of, i + 1, all)});
  }
}

/// The trail of a request, told by which limit.
class ToldTrail final : public EventSink {
 public:
  ToldTrail(EventSink& trail, const ListedLimit& limit) : trail_(trail), limit_(limit) {}
  void On(const Event& event) noexcept override {
    std::string buffer;
    trail_.On(ToldOf(event, limit_, buffer));
  }

 private:
  EventSink& trail_;
  const ListedLimit& limit_;
};

std::expected<LimitTaken, Rejection> TakeFrom(const ListedLimit& listed, LimitAsk ask) {
  if (ask.trail == nullptr) return listed.limit->Take(ask);
  ToldTrail trail(*ask.trail, listed);
  ask.trail = &trail;
  return listed.limit->Take(ask);
}

}  // namespace

std::string LimitIdentity(const LimitOptions& options) {
  std::string identity(WordOf(options.kind));
  identity.append(options.cost == LimitCost::kBytes ? " bytes " : " requests ").append(options.by);
  if (options.by != "all") identity.append(" ").append(std::to_string(options.max_keys));
  return identity;
}

RouteLimit::RouteLimit(const LimitOptions& options, std::string_view owner, EventSink& events,
                       const Clock& clock)
    : options_(options),
      owner_(owner),
      by_(options.by),
      key_(ParseLimitKey(by_).value_or(LimitKey{})),
      cost_(options.cost),
      weight_(WeightOf(options)) {
  if (key_.kind != LimitKey::Kind::kAll) {
    keyed_ = std::make_unique<policy::KeyedLimiter>(
        ToKeyed(options), policy::KeyedLimiterContext{owner_, events, clock});
    return;
  }
  policy::RateLimiterContext context{owner_, events, clock};
  switch (options.kind) {
    case LimitKind::kTokenBucket:
      bucket_ = std::make_unique<policy::RateLimiter>(ToBucket(options), std::move(context));
      return;
    case LimitKind::kPacing:
      pacer_ = std::make_unique<policy::Pacer>(ToPacer(options), std::move(context));
      return;
    case LimitKind::kSlidingLog:
      log_ = std::make_unique<policy::SlidingLog>(ToLog(options), std::move(context));
      return;
  }
}

std::expected<LimitTaken, Rejection> RouteLimit::Take(const LimitAsk& ask) {
  if (keyed_) return TakeKeyed(ask);
  LimitTaken given;
  if (bucket_) {
    const auto taken = bucket_->Take(ask.now, weight_.load(std::memory_order_relaxed), ask.trail);
    if (!taken) return std::unexpected(taken.error());
    given.permits.permits = *taken;
  } else if (pacer_) {
    const auto turn = pacer_->Take(ask.now, ask.longest, ask.trail);
    if (!turn) return std::unexpected(turn.error());
    given.permits.permits = turn->taken;
    given.permits.wait = turn->wait;
  } else {
    const auto taken = log_->Take(ask.now, 1, ask.trail);
    if (!taken) return std::unexpected(taken.error());
    given.logged = *taken;
  }
  return given;
}

std::expected<LimitTaken, Rejection> RouteLimit::TakeKeyed(const LimitAsk& ask) {
  const std::uint64_t weight = weight_.load(std::memory_order_relaxed);
  const auto take = [&](std::string_view key) -> std::expected<LimitTaken, Rejection> {
    const auto taken = keyed_->Take(key, ask.now, weight, ask.longest, ask.trail);
    if (!taken) return std::unexpected(taken.error());
    return LimitTaken{.permits = *taken};
  };
  if (key_.kind == LimitKey::Kind::kClientIp) {
    return take(policy::ClientKey(ask.client_ip).view());
  }
  return take(ask.request.fields.Find(key_.header).value_or(""));
}

void RouteLimit::GiveBack(const LimitTaken& taken, TimePoint now) {
  if (bucket_) bucket_->GiveBack(taken.permits.permits, now);
  if (pacer_) pacer_->Cancel({taken.permits.wait, taken.permits.permits}, now);
  if (log_) log_->GiveBack(taken.logged);
  if (keyed_) keyed_->GiveBack(taken.permits, now);
}

void RouteLimit::Settle(const LimitTaken& taken, std::uint64_t bytes, TimePoint now) {
  if (cost_ != LimitCost::kBytes) return;
  if (bucket_) bucket_->Settle(taken.permits.permits, bytes, now);
  if (keyed_) keyed_->Settle(taken.permits, bytes, now);
}

void RouteLimit::Apply(const LimitOptions& options, TimePoint now) {
  options_ = options;
  weight_.store(WeightOf(options), std::memory_order_relaxed);
  if (bucket_) bucket_->Apply(ToBucket(options), now);
  if (pacer_) pacer_->Apply(ToPacer(options), now);
  if (log_) log_->Apply(ToLog(options));
  if (keyed_) keyed_->Apply(ToKeyed(options), now);
}

std::uint64_t RouteLimit::refused() const {
  if (bucket_) return bucket_->refused();
  if (pacer_) return pacer_->refused();
  return log_ ? log_->refused() : keyed_->refused();
}

std::uint64_t RouteLimit::would_refuse() const {
  if (bucket_) return bucket_->would_refuse();
  if (pacer_) return pacer_->would_refuse();
  return log_ ? log_->would_refuse() : keyed_->would_refuse();
}

Event ToldOf(Event event, const ListedLimit& limit, std::string& buffer) {
  if (!event.detail.empty()) buffer.append(event.detail).append(", ").append(limit.which);
  event.detail = buffer.empty() ? std::string_view(limit.which) : buffer;
  return event;
}

RouteLimits::RouteLimits(const List& of_route, const List& of_service) {
  Append(of_route, LimitOf::kRoute, limits_);
  Append(of_service, LimitOf::kService, limits_);
}

std::expected<LimitsTaken, RouteLimits::Refused> RouteLimits::Take(const LimitAsk& ask) const {
  LimitsTaken all;
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const auto taken = TakeFrom(limits_[i], ask);
    if (!taken) {
      for (std::size_t k = i; k > 0; --k) limits_[k - 1].limit->GiveBack(all.each[k - 1], ask.now);
      return std::unexpected(Refused{taken.error(), limits_[i]});
    }
    all.each[i] = *taken;
    if (taken->permits.wait <= all.wait) continue;
    all.wait = taken->permits.wait;
    all.waits_at = i;
  }
  return all;
}

void RouteLimits::GiveBack(const LimitsTaken& taken, TimePoint now) const {
  for (std::size_t i = 0; i < limits_.size(); ++i) limits_[i].limit->GiveBack(taken.each[i], now);
}

void RouteLimits::Settle(const LimitsTaken& taken, std::uint64_t bytes, TimePoint now) const {
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    limits_[i].limit->Settle(taken.each[i], bytes, now);
  }
}

}  // namespace hale::mesh
