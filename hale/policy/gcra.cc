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

GcraStep GcraTake(std::uint64_t word, const GcraPlan& plan, TimePoint now, std::uint64_t weight) {
  const std::uint64_t at = Units(plan, now);
  const std::uint64_t owed = std::max(Value(word), at) - at;
  if (weight > plan.burst) {
    const double all = std::ldexp(static_cast<double>(owed), -static_cast<int>(plan.shift)) +
                       static_cast<double>(weight);
    return {word, false, kForever, all};
  }
  const bool in_time = Value(word) + Tick(plan) > at;
  const std::uint64_t from = in_time ? Value(word) : at;
  const std::uint64_t then = from + (weight << plan.shift);
  const std::uint64_t most = plan.burst << plan.shift;
  if (then > at + most) {
    return {word, false, Until(plan, then - most, now),
            std::ldexp(static_cast<double>(then - at), -static_cast<int>(plan.shift))};
  }
  return {Word(then, plan), true, {}, 0};
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

GcraPlans::GcraPlans(const GcraPlan& plan) {
  Store(now_, plan);
  Store(before_, plan);
}

// A sequence lock whose fields are atomics. Each field is read with acquire, so that the second
// look at the sequence comes after it, and written with release, so that it comes after the first
// mark.
void GcraPlans::Store(Slot& slot, const GcraPlan& plan) {
  slot.per_ns.store(plan.per_ns, std::memory_order_release);
  slot.shift_and_version.store(std::uint64_t{plan.shift} << 32 | plan.version,
                               std::memory_order_release);
  slot.burst.store(plan.burst, std::memory_order_release);
}

GcraPlan GcraPlans::Load(const Slot& slot) {
  GcraPlan plan;
  plan.per_ns = slot.per_ns.load(std::memory_order_acquire);
  const std::uint64_t both = slot.shift_and_version.load(std::memory_order_acquire);
  plan.shift = static_cast<std::uint32_t>(both >> 32);
  plan.version = static_cast<std::uint32_t>(both);
  plan.burst = slot.burst.load(std::memory_order_acquire);
  return plan;
}

GcraPlans::Pair GcraPlans::Load() const {
  while (true) {
    const std::uint32_t sequence = sequence_.load(std::memory_order_acquire);
    const Pair pair{Load(now_), Load(before_)};
    if (sequence % 2 == 0 && sequence_.load(std::memory_order_relaxed) == sequence) return pair;
  }
}

void GcraPlans::Replace(GcraPlan plan) {
  const GcraPlan before = Load(now_);
  plan.version = (before.version + 1) % 16;
  const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  Store(before_, before);
  Store(now_, plan);
  sequence_.store(sequence + 2, std::memory_order_release);  // the pair is whole
}

std::optional<std::uint64_t> GcraPlans::Pair::Bring(std::uint64_t word, TimePoint at) const {
  if (GcraVersion(word) == now.version) return word;
  if (GcraVersion(word) == before.version) return GcraConvert(word, before, now, at);
  return std::nullopt;
}

GcraStep GcraTakeShared(std::atomic<std::uint64_t>& word, const GcraPlans& plans, TimePoint now,
                        std::uint64_t weight) {
  while (true) {
    // Acquire: a word that was brought to a plan is seen after that plan.
    std::uint64_t seen = word.load(std::memory_order_acquire);
    const GcraPlans::Pair pair = plans.Load();
    const auto brought = pair.Bring(seen, now);
    if (!brought) continue;
    const GcraStep step = GcraTake(*brought, pair.now, now, weight);
    if (!step.admitted) return step;
    if (word.compare_exchange_weak(seen, step.word, std::memory_order_release,
                                   std::memory_order_relaxed)) {
      return step;
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
