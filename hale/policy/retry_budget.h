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
#include "hale/policy/mode.h"

namespace hale::policy {

struct RetryBudgetOptions {
  Mode mode = Mode::kEnforce;
  double ratio = 0.1;            ///< [0, 1] extra calls for each request of the last 10 s
  std::uint32_t reserve = 10;    ///< extra calls in 10 s for which no request is needed, fleet-wide
  std::uint32_t fleet_size = 1;  ///< processes that share the reserve

  friend bool operator==(const RetryBudgetOptions&, const RetryBudgetOptions&) = default;
};

constexpr auto Fields(Type<RetryBudgetOptions>) {
  using O = RetryBudgetOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"ratio", &O::ratio, 0.0, 1.0, "extra calls allowed for each request"},
      Field{"reserve", &O::reserve, 0, 8000, "extra calls in 10 s without a request, fleet-wide"},
      Field{"fleet_size", &O::fleet_size, 1, 1'000'000, "processes that share the reserve"}};
}
constexpr std::string_view Shorthand(Type<RetryBudgetOptions>) { return "ratio"; }

/// What an extra call is for. All draw on one budget: to the upstream they are the same load.
enum class ExtraCall : std::uint8_t { kRetry, kRace, kHedge };

/// Bounds how far failures can multiply the load: extra calls of the last 10 s stay below
/// `ratio` × requests + the reserve (Google SRE book, ch. 21; the token bucket is Finagle's
/// RetryBudget). Deposits and the reserve live in two half windows of 5 s and go with them, so no
/// long calm saves up for a storm. Races may take at most half, so that retries keep the rest.
/// Balances are milli-tokens in one word; each operation is one compare-and-swap and takes no lock.
/// Outlives its tokens. Thread-safe.
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
    ~Token();
    void Sent() { budget_ = nullptr; }
    explicit operator bool() const { return budget_ != nullptr; }

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
  /// Whole tokens that a retry could take now.
  double balance(TimePoint now) const;
  /// Withdrawals refused, in shadow those that would have been.
  std::uint64_t denied() const { return denied_.load(std::memory_order_relaxed); }

  /// New options at once; what has been saved and spent stays.
  void Apply(const RetryBudgetOptions& options);

 private:
  void Refund(ExtraCall kind);

  alignas(64) std::atomic<std::uint64_t> saved_;
  std::atomic<std::uint32_t> deposit_;  // milli-tokens a request
  std::atomic<std::uint32_t> grant_;    // milli-tokens a half window: half of our reserve
  std::atomic<Mode> mode_;
  alignas(64) std::atomic<std::uint64_t> raced_;  // what races have taken
  std::atomic<std::uint64_t> denied_{0};
};

}  // namespace hale::policy
