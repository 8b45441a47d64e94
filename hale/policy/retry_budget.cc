#include "hale/policy/retry_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hale::policy {
namespace {

constexpr std::uint32_t kToken = 1000;  // milli-tokens

/// A word: the half window's number (16 bits), what came in it and what came in the one before
/// (24 bits each, milli-tokens). An amount stops at 16,777 tokens, which also bounds what can be
/// saved. The number comes round after 91 hours; who sleeps exactly that long finds ten seconds'
/// worth of what was there then.
struct Halves {
  HalfWindow half{0};
  std::uint32_t current = 0;
  std::uint32_t previous = 0;

  static constexpr std::uint32_t kMost = (1U << 24) - 1;
  std::uint32_t sum() const { return current + previous; }
};

std::uint64_t Pack(const Halves& halves) {
  return std::uint64_t{halves.half.number()} << 48 | std::uint64_t{halves.current} << 24 |
         halves.previous;
}

Halves Unpack(std::uint64_t word) {
  return {.half = HalfWindow(static_cast<std::uint16_t>(word >> 48)),
          .current = static_cast<std::uint32_t>(word >> 24) & Halves::kMost,
          .previous = static_cast<std::uint32_t>(word) & Halves::kMost};
}

/// Each half window begins with `grant`; what is two of them old is gone.
Halves Roll(Halves halves, std::uint32_t grant, HalfWindow half) {
  const std::uint16_t passed = half.After(halves.half);
  if (passed == 0) return halves;
  return {.half = half, .current = grant, .previous = passed == 1 ? halves.current : grant};
}

std::uint32_t Sum(std::uint32_t there, std::uint64_t more) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(there + more, Halves::kMost));
}
Halves Add(Halves halves, std::uint64_t amount) {
  halves.current = Sum(halves.current, amount);
  return halves;
}

/// What has been deposited in a half window and in the one before, by the clock of who asks.
struct Deposits {
  std::uint64_t current = 0;
  std::uint64_t previous = 0;
};
Halves Add(Halves halves, const Deposits& deposits) {
  halves.previous = Sum(halves.previous, deposits.previous);
  return Add(halves, deposits.current);
}

/// Takes from what goes first; at most what is there.
Halves Take(Halves halves, std::uint32_t amount) {
  const std::uint32_t old = std::min(halves.previous, amount);
  halves.previous -= old;
  halves.current -= std::min(halves.current, amount - old);
  return halves;
}

std::uint32_t Deposit(const RetryBudgetOptions& options) {
  return static_cast<std::uint32_t>(std::lround(std::clamp(options.ratio, 0.0, 1.0) * kToken));
}

/// Rounded down, so that all shares together are never more than the reserve.
std::uint32_t Grant(const RetryBudgetOptions& options, std::uint32_t fleet) {
  const std::uint32_t sharers = options.fleet_size > 0 ? options.fleet_size : std::max(fleet, 1U);
  const std::uint64_t share = std::uint64_t{options.reserve} * kToken / 2 / sharers;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(share, Halves::kMost));
}

}  // namespace

RetryBudget::Token::Token(Token&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), kind_(other.kind_) {}

RetryBudget::Token& RetryBudget::Token::operator=(Token&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(kind_, other.kind_);
  return *this;
}

RetryBudget::RetryBudget(const RetryBudgetOptions& options)
    : deposit_(Deposit(options)),
      grant_(Grant(options, 1)),
      mode_(options.mode),
      saved_(Pack({.current = Grant(options, 1), .previous = Grant(options, 1)})) {}

void RetryBudget::OnRequest(TimePoint now) {
  const HalfWindow half(now);
  const std::uint32_t deposit = deposit_.load(std::memory_order_relaxed);
  // The first of a half window brings what came in the one before, while that counts.
  if (lanes_.Mine().Add(half, deposit)) Bring(half);
}

void RetryBudget::Bring(HalfWindow half) {
  Deposits deposits;
  lanes_.ForEach([&](DepositLane& lane) {
    deposits.current += lane.Bring(half);
    deposits.previous += lane.Bring(half.before());
  });
  const std::uint32_t grant = grant_.load(std::memory_order_relaxed);
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = Pack(Add(Roll(Unpack(word), grant, half), deposits));
  } while (next != word && !saved_.compare_exchange_weak(word, next, std::memory_order_relaxed));
}

HalfWindow RetryBudget::newest() const {
  return Unpack(saved_.load(std::memory_order_relaxed)).half;
}

std::expected<RetryBudget::Token, Rejection> RetryBudget::Withdraw(ExtraCall kind, TimePoint now) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff) return Token();
  const HalfWindow half(now);
  Bring(half);
  const std::uint32_t grant = grant_.load(std::memory_order_relaxed);
  const std::uint32_t kept = kind == ExtraCall::kHedge ? 2 * grant : 0;  // from it
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  Halves halves = Roll(Unpack(word), grant, half);
  const bool raced = kind != ExtraCall::kRetry;
  bool granted =
      halves.sum() >= kToken + kept && (!raced || TakeRacePlace(halves.sum() - kept, half));
  const bool placed = granted && raced;
  while (granted && !saved_.compare_exchange_weak(word, Pack(Take(halves, kToken)),
                                                  std::memory_order_relaxed)) {
    halves = Roll(Unpack(word), grant, half);
    granted = halves.sum() >= kToken + kept;
  }
  if (placed && !granted) GiveRacePlaceBack();
  if (granted) return Token(*this, kind);
  denied_.fetch_add(1, std::memory_order_relaxed);
  if (mode == Mode::kShadow) return Token();
  return std::unexpected(Rejection{.reason = Reason::kBudgetExhausted,
                                   .observed = static_cast<double>(halves.sum()) / kToken,
                                   .threshold = 1 + static_cast<double>(kept) / kToken});
}

/// Races and hedges have at most half of what was there: raced + 1 ≤ (balance + raced) / 2, in
/// tokens. `balance` is from before this one; two that race each other may together exceed the half
/// by less than one.
bool RetryBudget::TakeRacePlace(std::uint64_t balance, HalfWindow half) {
  std::uint64_t word = raced_.load(std::memory_order_relaxed);
  Halves raced;
  do {
    raced = Roll(Unpack(word), 0, half);
    if (raced.sum() + 2 * kToken > balance) return false;
  } while (
      !raced_.compare_exchange_weak(word, Pack(Add(raced, kToken)), std::memory_order_relaxed));
  return true;
}

void RetryBudget::Refund(ExtraCall kind) {
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  while (!saved_.compare_exchange_weak(word, Pack(Add(Unpack(word), kToken)),
                                       std::memory_order_relaxed)) {
  }
  if (kind != ExtraCall::kRetry) GiveRacePlaceBack();
}

void RetryBudget::GiveRacePlaceBack() {
  std::uint64_t word = raced_.load(std::memory_order_relaxed);
  while (!raced_.compare_exchange_weak(word, Pack(Take(Unpack(word), kToken)),
                                       std::memory_order_relaxed)) {
  }
}

double RetryBudget::balance(TimePoint now) const {
  const HalfWindow half(now);
  Deposits deposits;
  lanes_.ForEach([&](const DepositLane& lane) {
    deposits.current += lane.Unbrought(half);
    deposits.previous += lane.Unbrought(half.before());
  });
  const Halves saved = Roll(Unpack(saved_.load(std::memory_order_relaxed)),
                            grant_.load(std::memory_order_relaxed), half);
  return static_cast<double>(Add(saved, deposits).sum()) / kToken;
}

double RetryBudget::reserve() const {
  return 2 * static_cast<double>(grant_.load(std::memory_order_relaxed)) / kToken;
}

void RetryBudget::Apply(const RetryBudgetOptions& options, std::uint32_t fleet) {
  deposit_.store(Deposit(options), std::memory_order_relaxed);
  Bring(newest());
  const std::uint32_t grant = Grant(options, fleet);
  const std::uint32_t before = grant_.exchange(grant, std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
  if (grant < before) TakeBack(before - grant);
}

/// Of each half window's grant. One that has been spent is taken from what requests have saved: the
/// fleet has grown, and there is less for everybody.
void RetryBudget::TakeBack(std::uint32_t amount) {
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  Halves halves;
  do {
    halves = Unpack(word);
    halves.current -= std::min(halves.current, amount);
    halves.previous -= std::min(halves.previous, amount);
  } while (!saved_.compare_exchange_weak(word, Pack(halves), std::memory_order_relaxed));
}

}  // namespace hale::policy
