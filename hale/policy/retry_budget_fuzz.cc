#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/retry_budget.h"

// Any sequence of (time, request, extra call, change of the fleet) leaves the budget with what a
// model says that keeps each half window's tokens by its number; and processes that share a reserve
// never have more of it together than there is.

namespace hale::policy {
namespace {

/// In milli-tokens, by the number of the half window in which they came.
class Model {
 public:
  Model(std::int64_t ratio, std::int64_t reserve) : ratio_(ratio), grant_(reserve * 1000 / 2) {}

  void OnRequest(TimePoint now) {
    Begin(now);
    saved_[number_] += ratio_;
  }
  bool Withdraw(ExtraCall kind, bool sent, TimePoint now) {
    Begin(now);
    const std::int64_t kept = kind == ExtraCall::kHedge ? 2 * grant_ : 0;
    const std::int64_t there = Sum(saved_) - kept;
    if (there < 1000) return false;
    if (kind != ExtraCall::kRetry && Sum(raced_) + 2000 > there) return false;
    Take(saved_);
    if (kind != ExtraCall::kRetry) raced_[number_] += 1000;
    if (sent) return true;
    saved_[number_] += 1000;
    if (kind != ExtraCall::kRetry) Take(raced_);
    return true;
  }
  void Share(std::int64_t reserve, std::int64_t fleet) {
    const std::int64_t grant = reserve * 1000 / 2 / fleet;
    for (auto& [number, amount] : saved_) {
      amount -= std::min(amount, std::max<std::int64_t>(grant_ - grant, 0));
    }
    grant_ = grant;
  }
  std::int64_t balance(TimePoint now) {
    Begin(now);
    return Sum(saved_);
  }

 private:
  using Amounts = std::map<std::int64_t, std::int64_t>;

  void Begin(TimePoint now) {
    number_ = now.time_since_epoch() / 5s;
    for (const std::int64_t n : {number_ - 1, number_}) saved_.try_emplace(n, grant_);
    saved_.erase(saved_.begin(), saved_.lower_bound(number_ - 1));
    raced_.erase(raced_.begin(), raced_.lower_bound(number_ - 1));
  }
  static std::int64_t Sum(const Amounts& amounts) {
    std::int64_t sum = 0;
    for (const auto& [number, amount] : amounts) sum += amount;
    return sum;
  }
  static void Take(Amounts& amounts) {
    std::int64_t left = 1000;
    for (auto& [number, amount] : amounts) {
      const std::int64_t taken = std::min(amount, left);
      amount -= taken;
      left -= taken;
    }
  }

  std::int64_t ratio_;
  std::int64_t grant_;
  std::int64_t number_ = 0;
  Amounts saved_;
  Amounts raced_;
};

/// Members of one fleet that use their reserve alone.
void CheckFleet(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kReserve = 10;
  const std::uint32_t count = 1 + data[0] % 12U;
  std::vector<RetryBudget> fleet(count);
  for (RetryBudget& one : fleet) one.Apply({.ratio = 0, .reserve = kReserve}, count);
  const TimePoint start{1h};
  TimePoint now = start;
  double extra = 0;
  for (std::size_t i = 1; i < size; ++i) {
    now += data[i] % 4 == 0 ? Duration(700ms) : Duration(0);
    auto token = fleet[data[i] / 4 % count].Withdraw(ExtraCall::kRetry, now);
    if (!token) continue;
    token->Sent();
    Require(++extra <= kReserve + Seconds(now - start));
  }
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  if (size < 3) return 0;
  size = std::min<std::size_t>(size, 2000);
  CheckFleet(data, size);
  RetryBudgetOptions options{.ratio = data[0] % 5 * 0.25, .reserve = data[1] % 30U};
  RetryBudget budget(options);
  Model model(data[0] % 5 * 250, options.reserve);
  TimePoint now(1h);
  for (std::size_t i = 2; i < size; ++i) {
    const std::uint8_t op = data[i];
    if (op < 100) {
      budget.OnRequest(now);
      model.OnRequest(now);
    } else if (op < 200) {
      const auto kind = static_cast<ExtraCall>(op % 3);
      const bool sent = op % 2 == 0;
      auto token = budget.Withdraw(kind, now);
      if (token && sent) token->Sent();
      const bool got = token.has_value();
      if (token) *token = RetryBudget::Token();
      Require(got == model.Withdraw(kind, sent, now));
    } else if (op < 230) {
      constexpr std::array<Duration, 5> kSteps = {1ms, 900ms, 5s, 7s, 40s};
      now += kSteps[op % kSteps.size()];
    } else {
      const std::uint32_t fleet = 1 + op % 9U;
      // As long as nobody has looked, nothing has been granted of the windows since.
      Require(budget.balance(now) * 1000 + 0.5 >= static_cast<double>(model.balance(now)));
      budget.OnRequest(now);
      model.OnRequest(now);
      budget.Apply(options, fleet);
      model.Share(options.reserve, fleet);
    }
    Require(std::abs(budget.balance(now) * 1000 - static_cast<double>(model.balance(now))) < 0.5);
  }
  return 0;
}
