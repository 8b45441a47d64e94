#include "hale/policy/balancer.h"

#include <algorithm>
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

}  // namespace

Balancer::Balancer(const BalanceOptions& options)
    : kind_(options.kind), slow_start_(options.slow_start) {}

void Balancer::Apply(const BalanceOptions& options) {
  kind_.store(options.kind, std::memory_order_relaxed);
  slow_start_.store(options.slow_start, std::memory_order_relaxed);
}

std::optional<std::size_t> Balancer::Pick(std::span<const Candidate> candidates, Random& random,
                                          TimePoint now) {
  if (candidates.empty()) return std::nullopt;
  const BalanceKind kind = kind_.load(std::memory_order_relaxed);
  if (kind == BalanceKind::kP2c) return PickBetterOfTwo(candidates, random, now);
  return PickInTurn(candidates, kind, now);
}

std::optional<std::size_t> Balancer::PickInTurn(std::span<const Candidate> candidates,
                                                BalanceKind kind, TimePoint now) {
  const Duration slow_start = slow_start_.load(std::memory_order_relaxed);
  const auto weight = [&](const Candidate& candidate) {
    const double whole =
        kind == BalanceKind::kWeighted || candidate.weight <= 0 ? candidate.weight : 1;
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
std::optional<std::size_t> Balancer::PickBetterOfTwo(std::span<const Candidate> candidates,
                                                     Random& random, TimePoint now) const {
  const Duration slow_start = slow_start_.load(std::memory_order_relaxed);
  const auto weight = [&](std::size_t i) {
    const Candidate& candidate = candidates[i];
    return std::max(0.0, SlowStartWeight(candidate.weight, candidate.since, now, slow_start));
  };
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
  const double left = one.load * (both ? one.latency : 1);
  const double right = other.load * (both ? other.latency : 1);
  return left <= right ? first : second;
}

}  // namespace hale::policy
