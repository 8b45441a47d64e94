#include "hale/policy/gcra.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hale::policy {
namespace {

using Wide = unsigned __int128;

constexpr std::uint32_t kFraction = 62;       // binary places of per_ns
constexpr std::uint32_t kMostBurstBits = 57;  // an eighth of what a word can say

std::uint64_t Value(std::uint64_t word) { return word & kGcraValueMask; }

std::uint64_t Word(std::uint64_t value, const GcraPlan& plan) {
  // The value of all ones is left to tables, which mark a word by it.
  return std::min(value, kGcraValueMask - 1) | std::uint64_t{plan.version} << kGcraValueBits;
}

std::uint64_t Units(const GcraPlan& plan, TimePoint at) {
  const std::int64_t count = at.time_since_epoch().count();
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  const Wide units = (Wide{ns} * plan.per_ns) >> kFraction;
  return static_cast<std::uint64_t>(std::min<Wide>(units, kGcraValueMask - 1));
}

// A caller that comes when it was told comes up to a nanosecond late, since clocks have no finer
// tick. It counts as if it had come in time, or a burst of 1 would fall behind its rate.
std::uint64_t Tick(const GcraPlan& plan) {
  constexpr std::uint64_t kOne = std::uint64_t{1} << kFraction;
  return plan.per_ns < kOne ? 0 : ((plan.per_ns - 1) >> kFraction) + 1;
}

// From `now` until Units() first reaches `units`.
Duration Until(const GcraPlan& plan, std::uint64_t units, TimePoint now) {
  if (plan.per_ns == 0) return kForever;
  const Wide ns = ((Wide{units} << kFraction) + plan.per_ns - 1) / plan.per_ns;
  if (ns > static_cast<Wide>(kForever.count())) return kForever;
  const Duration at(static_cast<std::int64_t>(ns));
  return std::max(Duration::zero(), at - std::max(Duration::zero(), now.time_since_epoch()));
}

std::uint64_t InUnits(double permits, const GcraPlan& plan) {
  const double units = std::ldexp(permits, static_cast<int>(plan.shift));
  return static_cast<std::uint64_t>(std::min(units, 0x1p58));
}

}  // namespace

GcraPlan MakeGcraPlan(Rate rate, std::uint64_t burst) {
  GcraPlan plan;
  if (rate.permits == 0 || rate.per <= Duration::zero()) return plan;
  const auto per = static_cast<std::uint64_t>(rate.per.count());
  if (burst == 0) {
    const Wide second = Wide{rate.permits} * 1'000'000'000 / per;
    burst = static_cast<std::uint64_t>(std::clamp<Wide>(second, 1, 1'000'000'000));
  }
  plan.burst = std::min(burst, std::uint64_t{1} << kMostBurstBits);
  // The largest permit that keeps a unit above half a nanosecond: 2^shift × permits < 2 × per.
  while (Wide{rate.permits} << (plan.shift + 1) < Wide{per} * 2) ++plan.shift;
  const auto burst_bits = static_cast<std::uint32_t>(std::bit_width(plan.burst));
  plan.shift = std::min(plan.shift, kMostBurstBits + 1 - std::min(burst_bits, kMostBurstBits + 1));
  const Wide scaled = ((Wide{rate.permits} << plan.shift << kFraction) + per - 1) / per;
  plan.per_ns = static_cast<std::uint64_t>(std::min<Wide>(scaled, ~std::uint64_t{0}));
  return plan;
}

GcraStep GcraTake(std::uint64_t word, const GcraPlan& plan, TimePoint now, const GcraAsk& ask) {
  const std::uint64_t at = Units(plan, now);
  const std::uint64_t owed = std::max(Value(word), at) - at;
  if (ask.weight > plan.burst) {
    const double all = std::ldexp(static_cast<double>(owed), -static_cast<int>(plan.shift)) +
                       static_cast<double>(ask.weight);
    return {.word = word, .retry_after = kForever, .owed = all};
  }
  const bool in_time = Value(word) + Tick(plan) > at;
  const std::uint64_t from = in_time ? Value(word) : at;
  const std::uint64_t then = from + (ask.weight << plan.shift);
  const std::uint64_t most = plan.burst << plan.shift;
  GcraStep step{.word = word, .admitted = true};
  if (then > at + most) {
    const Duration wait = Until(plan, then - most, now);
    if (wait > ask.patience) {
      const double all = std::ldexp(static_cast<double>(then - at), -static_cast<int>(plan.shift));
      return {.word = word, .retry_after = wait - ask.patience, .owed = all};
    }
    step.wait = wait;
  }
  const std::uint64_t beyond = ask.surcharge > 0 ? InUnits(ask.surcharge, plan) : 0;
  step.word = Word(then + beyond, plan);
  step.units = Value(step.word) - from;
  return step;
}

std::uint64_t GcraSettle(std::uint64_t word, const GcraPlan& plan, const GcraTaken& taken,
                         std::uint64_t actual, TimePoint now, GcraTurns turns) {
  if (taken.weight == 0) return word;
  const std::uint64_t at = Units(plan, now);
  const Wide cost = Wide{taken.units} * actual / taken.weight;
  if (cost >= taken.units) {
    const Wide then = std::max(Value(word), at) + (cost - taken.units);
    return Word(static_cast<std::uint64_t>(std::min<Wide>(then, kGcraValueMask)), plan);
  }
  const std::uint64_t then = Value(taken.word);
  const std::uint64_t most = plan.burst << plan.shift;
  // A waiter was told its turn: what lies before it is not moved.
  const bool amid = Value(word) != then && Value(word) > at + most;
  if (turns == GcraTurns::kReserved && amid) return word;
  // Time that the debt has run off since then would have passed without it, too.
  const std::uint64_t unpaid = std::max(then, at) - at;
  const std::uint64_t back = std::min(taken.units - static_cast<std::uint64_t>(cost), unpaid);
  return Word(Value(word) - std::min(back, Value(word)), plan);
}

double GcraOwed(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  const std::uint64_t at = Units(plan, now);
  const std::uint64_t owed = std::max(Value(word), at) - at;
  return std::ldexp(static_cast<double>(owed), -static_cast<int>(plan.shift));
}

bool GcraIdle(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  return Value(word) <= Units(plan, now);
}

std::uint64_t GcraRemaining(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  const std::uint64_t at = Units(plan, now);
  const std::uint64_t owed = std::max(Value(word), at) - at;
  const std::uint64_t most = plan.burst << plan.shift;
  return owed >= most ? 0 : (most - owed) >> plan.shift;
}

Duration GcraIdleFor(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  const std::uint64_t at = Units(plan, now);
  if (plan.per_ns == 0 || Value(word) >= at) return Duration::zero();
  const Wide ns = (Wide{at - Value(word)} << kFraction) / plan.per_ns;
  return Duration(static_cast<std::int64_t>(std::min<Wide>(ns, kForever.count())));
}

Duration GcraWait(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  const std::uint64_t most = plan.burst << plan.shift;
  return Until(plan, Value(word) - std::min(Value(word), most), now);
}

double GcraPermits(const GcraPlan& plan, Duration span) {
  const double units = static_cast<double>(span.count()) *
                       std::ldexp(static_cast<double>(plan.per_ns), -static_cast<int>(kFraction));
  return std::ldexp(units, -static_cast<int>(plan.shift));
}

Duration GcraReset(std::uint64_t word, const GcraPlan& plan, TimePoint now) {
  return Until(plan, Value(word), now);
}

std::uint64_t GcraFresh(const GcraPlan& plan) { return Word(0, plan); }

std::uint64_t GcraConvert(std::uint64_t word, const GcraPlan& from, const GcraPlan& to,
                          TimePoint now) {
  const std::uint64_t at = Units(from, now);
  const Wide owed = std::max(Value(word), at) - at;
  // Rounded up: a change gives nothing away.
  const Wide there = ((owed << to.shift) + (Wide{1} << from.shift) - 1) >> from.shift;
  const Wide value = Units(to, now) + std::min<Wide>(there, kGcraValueMask);
  return Word(static_cast<std::uint64_t>(std::min<Wide>(value, kGcraValueMask)), to);
}

void GcraPlans::Replace(GcraPlan plan) {
  const GcraPlan before = Load().now;
  plan.version = (before.version + 1) % 16;
  pair_.Store({plan, before});
}

std::optional<GcraTaken> GcraPlans::Pair::Bring(const GcraTaken& taken, TimePoint at) const {
  const auto word = Bring(taken.word, at);
  if (!word) return std::nullopt;
  if (GcraVersion(taken.word) == now.version) return taken;
  const Wide units = Wide{taken.units} << now.shift >> before.shift;
  return GcraTaken{*word, static_cast<std::uint64_t>(std::min<Wide>(units, kGcraValueMask)),
                   taken.weight};
}

GcraStep GcraTakeShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans, TimePoint now,
                        const GcraAsk& ask) {
  while (true) {
    // Acquire: a word that was brought to a plan is seen after that plan.
    std::uint64_t seen = word.load(std::memory_order_acquire);
    const GcraPlans::Pair pair = plans.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    const GcraStep step = GcraTake(*brought, pair.now, now, ask);
    if (!step.admitted) return step;
    if (word.compare_exchange_weak(seen, step.word, std::memory_order_release,
                                   std::memory_order_relaxed)) {
      return step;
    }
  }
}

bool GcraSettleShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans,
                      const GcraTaken& taken, std::uint64_t actual, TimePoint now,
                      GcraTurns turns) {
  while (true) {
    std::uint64_t seen = word.load(std::memory_order_acquire);
    const GcraPlans::Pair pair = plans.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    // Of a plan that has gone only what is missing can be told.
    const GcraTaken gone{GcraFresh(pair.now), taken.weight << pair.now.shift, taken.weight};
    const GcraTaken then = pair.Bring(taken, now).value_or(gone);
    const std::uint64_t settled = GcraSettle(*brought, pair.now, then, actual, now, turns);
    if (settled == *brought) return false;
    if (word.compare_exchange_weak(seen, settled, std::memory_order_release,
                                   std::memory_order_relaxed)) {
      return true;
    }
  }
}

void GcraBringShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans, TimePoint now) {
  while (true) {
    std::uint64_t seen = word.load(std::memory_order_acquire);
    const auto brought = plans.Load().Bring(seen, now);
    // Release: whoever sees the word sees its plan.
    if (brought && word.compare_exchange_weak(seen, *brought, std::memory_order_release,
                                              std::memory_order_relaxed)) {
      return;
    }
  }
}

GcraView GcraLoadShared(const std::atomic<std::uint64_t>& word, const GcraPlans& plans,
                        TimePoint now) {
  while (true) {
    const std::uint64_t seen = word.load(std::memory_order_acquire);
    const GcraPlans::Pair pair = plans.Load();
    if (const auto brought = pair.Bring(seen, now)) return {*brought, pair.now};
  }
}

}  // namespace hale::policy
