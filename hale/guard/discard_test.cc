#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "hale/base/sim_executor.h"
#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

/// An answer that knows which are alive; a copy or a move of it is alive too.
class Answer {
 public:
  explicit Answer(int number) : number_(number) { Begin(); }
  Answer(const Answer& other) : number_(other.number_) { Begin(); }
  Answer(Answer&& other) noexcept : number_(other.number_) { Begin(); }
  Answer& operator=(const Answer&) = default;
  ~Answer() { EXPECT_EQ(alive.erase(this), 1U) << "destroyed twice"; }
  int number() const { return number_; }

  static inline std::set<const Answer*> alive;

 private:
  void Begin() { EXPECT_TRUE(alive.insert(this).second); }
  int number_;
};

/// Answers that are failures but for the third, as a 503 with a body is.
class Answers final : public Sender<Answer> {
 public:
  Task<Result<Answer>> Send(Lease&, Attempt attempt) override {
    co_return Answer(static_cast<int>(attempt.number()));
  }
  std::optional<policy::FailedAttempt> Failure(const Result<Answer>& result) const override {
    if (result->number() == 3) return std::nullopt;
    return policy::FailedAttempt{.reason = Reason::kUpstreamReset, .executed = Executed::kNo};
  }
  Task<void> Discard(Result<Answer> result) override {
    discarded.push_back(result->number());
    co_return;
  }
  std::vector<int> discarded;
};

TEST(DiscardTest, EachAnswerThatIsTriedAgainIsDestroyedOnce) {
  SimExecutor executor;
  SeededRandom random{3};
  policy::Bulkhead bulkhead({}, {"s", NullSink(), executor.clock()});
  const policy::RetryOptions retry{.attempts = 3};
  policy::RetryBudget budget;
  const policy::CircuitBreakerContext context{.clock = executor.clock(), .random = &random};
  OneTarget target(std::make_shared<Target>(policy::CircuitBreakerOptions{}, context));
  Answers answers;
  const CallPolicies policies{bulkhead, retry, budget, random};
  const CallSpec spec{.service = "s", .trail = NullSink()};
  {
    GovernedCall<Answer> call(executor, policies, spec, target, answers);
    const Governed<Answer> ended = executor.Wait(call.Run());
    EXPECT_EQ(ended.result->number(), 3);
    EXPECT_EQ(Answer::alive.size(), 1U);
  }
  EXPECT_EQ(answers.discarded, (std::vector{1, 2}));
  EXPECT_TRUE(Answer::alive.empty());
}

}  // namespace
}  // namespace hale::guard
