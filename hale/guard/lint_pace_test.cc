#include <gtest/gtest.h>

#include "hale/guard/lint.h"

namespace hale::guard {
namespace {

using policy::Mode;

std::string Remarks(const GuardOptions& options) { return Print(Lint(options)); }

TEST(LintPaceTest, HasNothingAgainstTheDefaults) {
  EXPECT_EQ(Remarks({.pace = {}}), "");
  EXPECT_EQ(Remarks({.pace = {}, .deadline = 100ms}), "");
}

TEST(LintPaceTest, AWaitFitsIntoHalfOfTheDeadline) {
  GuardOptions options{.pace = {.max_wait = 1s}, .deadline = 2s};
  EXPECT_EQ(Remarks(options), "");
  options.pace.max_wait = 1001ms;
  EXPECT_EQ(Remarks(options),
            "pace.max_wait: 1001ms is above half of the deadline 2s; it never waits longer than "
            "1s\n");
  options.pace.mode = Mode::kOff;
  EXPECT_EQ(Remarks(options), "");
}

TEST(LintPaceTest, MoreThanOneCallCanWait) {
  GuardOptions options{.pace = {.rate = {2, 1s}, .slack = 100}};
  EXPECT_EQ(Remarks(options), "");
  options.pace.rate = {1, 1s};
  EXPECT_EQ(Remarks(options),
            "pace.rate: 1/s is less than one turn in 500ms, and nobody waits longer: of calls that "
            "come together at most one waits, those after it are refused\n");
  options.pace.max_wait = 0ms;
  EXPECT_EQ(Remarks(options), "") << "nobody is to wait";
}

TEST(LintPaceTest, HalfOfTheDeadlineIsTheMostThatIsWaited) {
  EXPECT_EQ(Remarks({.pace = {.rate = {20, 1s}}, .deadline = 90ms}),
            "pace.rate: 20/s is less than one turn in 45ms, and nobody waits longer: of calls that "
            "come together at most one waits, those after it are refused\n");
}

TEST(LintPaceTest, ALimitOutsideOfAPaceIsTheNarrowerOne) {
  GuardOptions options{.limit = {.rate = {100, 1s}, .burst = 61}, .pace = {}};
  EXPECT_EQ(Remarks(options),
            "limit.rate: 100/s and 61 at once refuse nobody: the pace lets 100/s and at most 61 at "
            "once through\n");
  options.limit.burst = 60;
  EXPECT_EQ(Remarks(options), "");
  options.limit = {.rate = {99, 1s}, .burst = 200};
  EXPECT_EQ(Remarks(options), "");
}

TEST(LintPaceTest, ALimitThatIsColdAtFirstMayBeTheNarrowerOne) {
  EXPECT_EQ(Remarks({.limit = {.rate = {200, 1s}, .warm_up = 1min}, .pace = {}}), "");
  EXPECT_EQ(Remarks({.limit = {.mode = Mode::kShadow, .rate = {200, 1s}}, .pace = {}}), "");
  EXPECT_EQ(Remarks({.limit = {.rate = {200, 1s}}, .pace = {.mode = Mode::kShadow}}), "");
}

TEST(LintPaceTest, LetsEnoughCallsThroughForTheBreakerToJudge) {
  EXPECT_EQ(
      Remarks({.pace = {.rate = {1, 1s}, .slack = 8, .max_wait = 1s}}),
      "breaker.minimum_calls: the pace lets at most 19 calls in 10s through, so 20 are never seen "
      "and no share is judged\n");
  EXPECT_EQ(Remarks({.pace = {.rate = {1, 1s}, .slack = 9, .max_wait = 1s}}), "");
  EXPECT_EQ(Remarks({.pace = {.mode = Mode::kShadow, .rate = {1, 1s}, .slack = 8, .max_wait = 1s}}),
            "");
}

TEST(LintPaceTest, EachAttemptOfWhoRetriesTakesATurn) {
  const GuardOptions outer{.name = "outer", .breaker = {.mode = Mode::kOff}};
  GuardOptions inner{
      .name = "inner", .pace = {}, .breaker = {.mode = Mode::kOff}, .retry = {.mode = Mode::kOff}};
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "pace: each of the 2 attempts of outer takes a turn: 100/s are 50/s of its calls while "
            "they fail; pace outside of what retries\n");
  inner.pace.mode = Mode::kShadow;
  EXPECT_EQ(Print(LintNested(outer, inner)), "");
}

}  // namespace
}  // namespace hale::guard
