#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <string_view>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/deposit_lane.h"
#include "hale/policy/lanes.h"
#include "hale/policy/mode.h"

namespace hale::policy {

struct RetryBudgetOptions {
  Mode mode = Mode::kEnforce;
  double ratio = 0.1;            ///< [0, 1] extra calls for each request of the last 10 s
  std::uint32_t reserve = 10;    ///< extra calls in 10 s for which no request is needed, fleet-wide
  std::uint32_t fleet_size = 0;  ///< processes that share the reserve; 0: as many as are known

  friend bool operator==(const RetryBudgetOptions&, const RetryBudgetOptions&) = default;
};

constexpr auto Fields(Type<RetryBudgetOptions>) {
  using O = RetryBudgetOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"ratio", &O::ratio, 0.0, 1.0, "extra calls allowed for each request"},
      Field{"reserve", &O::reserve, 0, 8000, "extra calls in 10 s without a request, fleet-wide"},
      Field{"fleet_size", &O::fleet_size, 0, 1'000'000,
            "processes that share the reserve; 0: those that discovery knows, else 1"}};
}
constexpr std::string_view Shorthand(Type<RetryBudgetOptions>) { return "ratio"; }

/// What an extra call is for. All draw on one budget: to the upstream they are the same load.
enum class ExtraCall : std::uint8_t { kRetry, kRace, kHedge };

/// Bounds how far failures multiply the load: extra calls are at most `ratio` of the requests, plus
/// the reserve each 10 s (Google, "Site Reliability Engineering", 2016, ch. 21; a token bucket like
/// Finagle's RetryBudget). The reserve is the whole fleet's: each process has its share, since what
/// each client has for itself is multiplied by the clients. What is deposited is gone after 5 to
/// 10 s, two half windows, so that no long calm saves up for a storm. Races and hedges together may
/// take at most half, so that retries keep the rest, and hedges nothing of the reserve: without
/// requests nobody is slow. Who deposits counts in its thread's own lane; who withdraws, and each
/// thread's first request of a half window, brings what all lanes have to one word of milli-tokens.
/// From that it takes by a compare-and-swap, a race by two. No lock: what another thread is
/// bringing at this very moment is not seen. Outlives its tokens. Thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(const RetryBudgetOptions& options = {});
  RetryBudget(const RetryBudget&) = delete;
  RetryBudget& operator=(const RetryBudget&) = delete;

  /// The right to send one extra call. Withdraw it before the wait for the call, and say Sent()
  /// when the call goes out: a token that is dropped before that goes back.
  class [[nodiscard]] Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept;
    Token& operator=(Token&& other) noexcept;
    ~Token() {
      if (budget_ != nullptr) budget_->Refund(kind_);
    }
    void Sent() { budget_ = nullptr; }

   private:
    friend class RetryBudget;
    Token(RetryBudget& budget, ExtraCall kind) : budget_(&budget), kind_(kind) {}
    RetryBudget* budget_ = nullptr;
    ExtraCall kind_ = ExtraCall::kRetry;
  };

  /// A user's request has come: deposits `ratio` of a token. Not for extra calls.
  void OnRequest(TimePoint now);
  /// Takes a token, or says budget_exhausted with the balance that there was. In shadow it hands
  /// out a token whatever the balance; `denied()` counts what would have been.
  std::expected<Token, Rejection> Withdraw(ExtraCall kind, TimePoint now);
  /// Tokens that are there now.
  double balance(TimePoint now) const;
  /// Withdrawals refused, in shadow those that would have been.
  std::uint64_t denied() const { return denied_.load(std::memory_order_relaxed); }

  /// What has been saved and spent stays; a new ratio holds from the next request on, a larger
  /// share of the reserve from the next half window, a smaller one at once. `fleet`: processes that
  /// are known to share the reserve; the options' own figure wins.
  void Apply(const RetryBudgetOptions& options, std::uint32_t fleet = 1);
  /// Extra calls in 10 s for which no request is needed: this process's share.
  double reserve() const;

 private:
  bool TakeRacePlace(std::uint64_t balance, HalfWindow half);
  void GiveRacePlaceBack();
  void TakeBack(std::uint32_t amount);
  void Refund(ExtraCall kind);
  void Bring(HalfWindow half);
  HalfWindow newest() const;

  // What requests read, apart from what extra calls write.
  Lanes<DepositLane> lanes_;
  std::atomic<std::uint32_t> deposit_;  // milli-tokens a request
  std::atomic<std::uint32_t> grant_;    // milli-tokens a half window: half of our reserve
  std::atomic<Mode> mode_;
  alignas(64) std::atomic<std::uint64_t> saved_;
  std::atomic<std::uint64_t> raced_{0};  // what races and hedges have taken
  std::atomic<std::uint64_t> denied_{0};
};

}  // namespace hale::policy
