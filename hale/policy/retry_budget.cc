#include "hale/policy/retry_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hale::policy {
namespace {

constexpr std::uint32_t kToken = 1000;  // milli-tokens
constexpr Duration kHalfWindow = 5s;

/// A word: the half window's number (16 bits), what came in it and what came in the one before
/// (24 bits each, milli-tokens). An amount stops at 16,777 tokens, which also bounds what can be
/// saved. The number comes round after 91 hours; who sleeps exactly that long finds ten seconds'
/// worth of what was there then.
struct Halves {
  std::uint16_t number = 0;
  std::uint32_t current = 0;
  std::uint32_t previous = 0;

  static constexpr std::uint32_t kMost = (1U << 24) - 1;
  std::uint32_t sum() const { return current + previous; }
};

std::uint64_t Pack(const Halves& halves) {
  return std::uint64_t{halves.number} << 48 | std::uint64_t{halves.current} << 24 | halves.previous;
}

Halves Unpack(std::uint64_t word) {
  return {.number = static_cast<std::uint16_t>(word >> 48),
          .current = static_cast<std::uint32_t>(word >> 24) & Halves::kMost,
          .previous = static_cast<std::uint32_t>(word) & Halves::kMost};
}

/// Each half window begins with `grant`; what is two of them old is gone. A clock that is up to a
/// minute behind, as another loop's may be, turns nothing back.
Halves Roll(Halves halves, std::uint32_t grant, TimePoint now) {
  const auto number = static_cast<std::uint16_t>(now.time_since_epoch() / kHalfWindow);
  const auto passed = static_cast<std::uint16_t>(number - halves.number);
  constexpr std::uint16_t kBehind = 0xffff - 12;
  if (passed == 0 || passed > kBehind) return halves;
  return {.number = number, .current = grant, .previous = passed == 1 ? halves.current : grant};
}

Halves Add(Halves halves, std::uint32_t amount) {
  halves.current = std::min(halves.current + amount, Halves::kMost);
  return halves;
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

std::uint32_t Grant(const RetryBudgetOptions& options) {
  const std::uint64_t share =
      std::uint64_t{options.reserve} * kToken / 2 / std::max(options.fleet_size, 1U);
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

RetryBudget::Token::~Token() {
  if (budget_ != nullptr) budget_->Refund(kind_);
}

RetryBudget::RetryBudget(const RetryBudgetOptions& options)
    : saved_(Pack({.current = Grant(options), .previous = Grant(options)})),
      deposit_(Deposit(options)),
      grant_(Grant(options)),
      mode_(options.mode),
      raced_(0) {}

void RetryBudget::OnRequest(TimePoint now) {
  const std::uint32_t deposit = deposit_.load(std::memory_order_relaxed);
  const std::uint32_t grant = grant_.load(std::memory_order_relaxed);
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  while (!saved_.compare_exchange_weak(word, Pack(Add(Roll(Unpack(word), grant, now), deposit)),
                                       std::memory_order_relaxed)) {
  }
}

std::expected<RetryBudget::Token, Rejection> RetryBudget::Withdraw(ExtraCall kind, TimePoint now) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff) return Token();
  const std::uint32_t grant = grant_.load(std::memory_order_relaxed);
  std::uint64_t word = saved_.load(std::memory_order_relaxed);
  Halves halves;
  bool granted = false;
  do {
    halves = Roll(Unpack(word), grant, now);
    granted = halves.sum() >= kToken;
  } while (granted && !saved_.compare_exchange_weak(word, Pack(Take(halves, kToken)),
                                                    std::memory_order_relaxed));
  if (granted && kind == ExtraCall::kRace && !TakeRacePlace(halves.sum(), now)) {
    Refund(ExtraCall::kRetry);
    granted = false;
  }
  if (granted) return Token(*this, kind);
  denied_.fetch_add(1, std::memory_order_relaxed);
  if (mode == Mode::kShadow) return Token();
  return std::unexpected(Rejection{.reason = Reason::kBudgetExhausted,
                                   .observed = static_cast<double>(halves.sum()) / kToken,
                                   .threshold = 1});
}

/// Races have at most half of what was there: raced + 1 ≤ (balance + raced) / 2, in tokens.
/// `balance` is from before this one; two that race each other may together exceed the half by less
/// than one.
bool RetryBudget::TakeRacePlace(std::uint64_t balance, TimePoint now) {
  std::uint64_t word = raced_.load(std::memory_order_relaxed);
  Halves raced;
  do {
    raced = Roll(Unpack(word), 0, now);
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
  if (kind != ExtraCall::kRace) return;
  word = raced_.load(std::memory_order_relaxed);
  while (!raced_.compare_exchange_weak(word, Pack(Take(Unpack(word), kToken)),
                                       std::memory_order_relaxed)) {
  }
}

double RetryBudget::balance(TimePoint now) const {
  const Halves halves = Roll(Unpack(saved_.load(std::memory_order_relaxed)),
                             grant_.load(std::memory_order_relaxed), now);
  return static_cast<double>(halves.sum()) / kToken;
}

void RetryBudget::Apply(const RetryBudgetOptions& options) {
  deposit_.store(Deposit(options), std::memory_order_relaxed);
  grant_.store(Grant(options), std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

}  // namespace hale::policy
