#include "hale/policy/balancer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "hale/policy/slow_start.h"

namespace hale::policy {
namespace {

/// The share of rounds in which a member is passed over is spread evenly, as a line is drawn in
/// pixels (J. Bresenham, 1965): its count steps up in `ratio` of the rounds. Members begin a golden
/// section apart, so that light ones do not all come in the same round.
bool ComesInRound(std::uint64_t round, std::size_t index, double ratio) {
  constexpr double kGolden = 0.6180339887498949;
  const double offset = static_cast<double>(index) * kGolden;
  const auto line = [&](double at) { return std::floor(at * ratio + offset - std::floor(offset)); };
  const auto at = static_cast<double>(round & 0xffffffff);  // exact in a double
  return line(at + 1) > line(at);
}

/// Numbers in [0, 1) that cost a multiplication each, for choices among equals: D. Knuth's MMIX
/// generator, seeded anew for each pick.
class Cheap {
 public:
  explicit Cheap(std::uint64_t seed) : state_(seed) {}
  double Unit() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state_ >> 11) * 0x1.0p-53;
  }

 private:
  std::uint64_t state_;
};

std::uint32_t InFlight(const Candidate& candidate) {
  return candidate.load == nullptr ? 0 : candidate.load->in_flight();
}

double Penalty(const Candidate& candidate, TimePoint now) {
  return candidate.load == nullptr ? 1 : candidate.load->Penalty(now);
}

ReportedLoad::Reading Reported(const Candidate& candidate, TimePoint now) {
  return candidate.reported == nullptr ? ReportedLoad::Reading() : candidate.reported->Read(now);
}

/// What a report adds to a cost when all are compared at once: who has none, or a stale one, counts
/// as the mean of the others.
class ReportedCost {
 public:
  ReportedCost(std::span<const Candidate> candidates, TimePoint now) : now_(now) {
    if (candidates.front().reported == nullptr) return;
    double sum = 0;
    double left = 0;
    for (const Candidate& candidate : candidates) {
      const auto reading = Reported(candidate, now);
      sum += reading.load * reading.left;
      left += reading.left;
    }
    if (left > 0) mean_ = sum / left;
  }
  double Of(const Candidate& candidate) const {
    if (mean_ == 0) return 1;
    const auto reading = Reported(candidate, now_);
    return mean_ + (reading.load - mean_) * reading.left;
  }

 private:
  TimePoint now_;
  double mean_ = 0;
};

}  // namespace

Balancer::Balancer(const BalanceOptions& options)
    : kind_(options.kind), slow_start_(options.slow_start), bound_(options.bound) {}

void Balancer::Apply(const BalanceOptions& options) {
  kind_.store(options.kind, std::memory_order_relaxed);
  slow_start_.store(options.slow_start, std::memory_order_relaxed);
  bound_.store(options.bound, std::memory_order_relaxed);
}

std::optional<std::size_t> Balancer::Pick(Candidates candidates, Random& random, TimePoint now,
                                          const Affinity* affinity) {
  if (candidates.empty()) return std::nullopt;
  switch (const BalanceKind kind = kind_.load(std::memory_order_relaxed)) {
    case BalanceKind::kRoundRobin:
    case BalanceKind::kWeighted:
      return PickInTurn(candidates, kind, now);
    case BalanceKind::kLeastRequest:
      return PickLeast(candidates, random, now);
    case BalanceKind::kMaglev:
      if (affinity == nullptr) break;
      if (const auto chosen = PickByKey(candidates, *affinity, now)) return chosen;
      break;  // all that the key knows are full
    case BalanceKind::kP2c:
      break;
  }
  return PickBetterOfTwo(candidates, random, now);
}

double Balancer::Weight(const Candidate& candidate, TimePoint now) const {
  const Duration slow_start = slow_start_.load(std::memory_order_relaxed);
  return std::max(0.0, SlowStartWeight(candidate.weight, candidate.since, now, slow_start));
}

/// All are looked at, which is only safe since failures are penalised: who fails fast always looks
/// idle (law 7). Equals are drawn by weight.
std::optional<std::size_t> Balancer::PickLeast(Candidates candidates, Random& random,
                                               TimePoint now) const {
  const ReportedCost reported(candidates, now);
  const bool told = candidates.front().reported != nullptr;
  Cheap dice(random.Next());
  std::optional<std::size_t> chosen;
  double least = 0;
  double equals = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    const double weight = Weight(candidate, now);
    if (weight <= 0) continue;
    double cost = InFlight(candidate);
    if (weight != 1) cost /= weight;
    cost = (cost + 1) * Penalty(candidate, now);
    if (told) cost *= reported.Of(candidate);
    if (chosen && cost > least) continue;
    if (!chosen || cost < least) equals = 0;
    equals += weight;
    if (dice.Unit() * equals < weight) chosen = i;
    least = cost;
  }
  return chosen;
}

/// Who comes first in the key's order and has room. It visits so few that more would be a search.
std::optional<std::size_t> Balancer::PickByKey(Candidates candidates, const Affinity& affinity,
                                               TimePoint now) const {
  constexpr std::size_t kMostVisited = 64;
  constexpr std::uint32_t kMostSlots = 512;
  std::array<std::uint32_t, kMostVisited> visited;
  std::size_t visits = 0;
  std::uint64_t all = 0;
  double weights = 0;  // summed up when it is first needed

  const MaglevTable& table = affinity.table;
  std::uint32_t slot = table.SlotOf(affinity.key);
  for (std::uint32_t slots = 0; slots < kMostSlots && visits < kMostVisited; ++slots) {
    const std::uint32_t entry = table.At(slot);
    slot = table.Next(slot);
    const auto end = visited.begin() + static_cast<std::ptrdiff_t>(visits);
    if (std::find(visited.begin(), end, entry) != end) continue;
    visited[visits++] = entry;
    const auto at = std::ranges::find(affinity.index, entry);
    if (at == affinity.index.end()) continue;  // it may not be picked now
    const auto i = static_cast<std::size_t>(at - affinity.index.begin());
    const double weight = Weight(candidates[i], now);
    if (weight <= 0) continue;
    const std::uint32_t in_flight = InFlight(candidates[i]);
    if (in_flight < kNeverFull) return i;
    if (weights == 0) {
      for (const Candidate& candidate : candidates) {
        all += InFlight(candidate);
        weights += Weight(candidate, now);
      }
    }
    const double bound = bound_.load(std::memory_order_relaxed);
    if (in_flight < BoundedLoad(bound, all, weight / weights)) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> Balancer::PickInTurn(Candidates candidates, BalanceKind kind,
                                                TimePoint now) {
  const Duration slow_start = slow_start_.load(std::memory_order_relaxed);
  const auto weight = [&](const Candidate& candidate) {
    const double whole = kind == BalanceKind::kWeighted || candidate.weight <= 0 ? candidate.weight
                                                                                 : candidate.share;
    return SlowStartWeight(whole, candidate.since, now, slow_start);
  };
  std::size_t heaviest = 0;
  double most = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (weight(candidates[i]) <= most) continue;
    most = weight(candidates[i]);
    heaviest = i;
  }
  if (most <= 0) return std::nullopt;
  // The heaviest comes in each round, so that one round is enough; other threads may take its turn.
  for (std::size_t tries = 0; tries < candidates.size(); ++tries) {
    const std::uint64_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    const std::size_t index = turn % candidates.size();
    const double ratio = weight(candidates[index]) / most;
    if (ComesInRound(turn / candidates.size(), index, ratio)) return index;
  }
  return heaviest;
}

/// Two different ones are drawn in proportion to their weight, and the one with the lower cost
/// wins: latency × penalty × (calls in flight ÷ weight + 1). So an idle set is shared by weight and
/// ramp among equals, a busy one by calls in flight, and a fast one is preferred in both.
std::optional<std::size_t> Balancer::PickBetterOfTwo(Candidates candidates, Random& random,
                                                     TimePoint now) const {
  const auto weight = [&](std::size_t i) { return Weight(candidates[i], now); };
  double sum = 0;
  double most = 0;
  double least = weight(0);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double one = weight(i);
    sum += one;
    most = std::max(most, one);
    least = std::min(least, one);
  }
  if (most <= 0) return std::nullopt;

  constexpr std::size_t kNone = ~std::size_t{0};
  const auto draw = [&](double all, std::size_t but) {
    double left = random.Unit() * all;
    std::size_t drawn = kNone;
    for (std::size_t i = 0; i < candidates.size() && left >= 0; ++i) {
      if (i == but || weight(i) <= 0) continue;
      drawn = i;  // the last that has weight, should rounding leave something over
      left -= weight(i);
    }
    return drawn;
  };
  std::size_t first = 0;
  std::size_t second = kNone;
  if (least == most) {  // as nearly always: two numbers will do
    first = random.Below(candidates.size());
    if (candidates.size() > 1) second = random.Below(candidates.size() - 1);
    if (second != kNone && second >= first) ++second;
  } else {
    first = draw(sum, kNone);
    second = draw(sum - weight(first), first);
  }
  if (second == kNone) return first;

  struct Side {
    double latency = 0;
    double load = 1;
  };
  const auto look = [&](std::size_t i) {
    if (candidates[i].load == nullptr) return Side();
    const Load& load = *candidates[i].load;
    return Side{.latency = static_cast<double>(load.Latency(now).count()),
                .load = (load.in_flight() * most / weight(i) + 1) * load.Penalty(now)};
  };
  const Side one = look(first);
  const Side other = look(second);
  // A latency that is not known must neither attract everything nor nothing: then load decides.
  const bool both = one.latency > 0 && other.latency > 0;
  const CostRatio told =
      Compare(Reported(candidates[first], now), Reported(candidates[second], now));
  const double left = one.load * (both ? one.latency : 1) * told.one;
  const double right = other.load * (both ? other.latency : 1) * told.other;
  return left <= right ? first : second;
}

}  // namespace hale::policy
