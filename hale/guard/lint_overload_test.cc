#include <gtest/gtest.h>

#include "hale/guard/lint.h"

namespace hale::guard {
namespace {

using policy::LimitKind;
using policy::Mode;
using policy::QueueOrder;

std::string Remarks(const GuardOptions& options) { return Print(Lint(options)); }

TEST(LintOverloadTest, HasNothingAgainstTheDefaults) {
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kEnforce}}), "");
  EXPECT_EQ(Remarks({.concurrency = {.mode = Mode::kEnforce}}), "");
}

TEST(LintOverloadTest, AFactorNearOneHoldsBackCallsInPeace) {
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kShadow, .k = 1.25}}),
            "throttle.k: 1.25 holds back calls as soon as 20% are turned away: below 100 calls a "
            "second chance alone does that; 2 is safe\n");
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kEnforce, .k = 1.5}}), "");
  EXPECT_EQ(Remarks({.throttle = {.k = 1.25}}), "");
}

TEST(LintOverloadTest, AThrottleRemembersWholeSeconds) {
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kEnforce, .window = 2500ms}}),
            "throttle.window: 2500ms is remembered as 2s: attempts are counted by whole seconds\n");
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kEnforce, .window = 3s}}), "");
  EXPECT_EQ(Remarks({.throttle = {.window = 2500ms}}), "");
}

TEST(LintOverloadTest, AQueueThatStandsLetsTheTargetCount) {
  const auto codel = [](Duration target, Duration interval) {
    return Remarks(
        {.bulkhead = {.order = QueueOrder::kCodel, .target = target, .interval = interval}});
  };
  EXPECT_EQ(codel(200ms, 300ms),
            "bulkhead.target: 200ms is not below max_wait 200ms: a wait ends before it counts\n");
  EXPECT_EQ(codel(80ms, 50ms),
            "bulkhead.interval: 50ms is below the target 80ms, which is taken in its place\n");
  EXPECT_EQ(codel(80ms, 80ms), "");
  EXPECT_EQ(codel(150ms, 100ms), "") << "the default gives way";
  EXPECT_EQ(Remarks({.bulkhead = {.interval = 50ms}}),
            "bulkhead.interval: is not used: only order codel has an interval\n");
}

TEST(LintOverloadTest, AThrottleThatHoldsNothingBackIsNone) {
  EXPECT_EQ(Remarks({.throttle = {.mode = Mode::kEnforce, .max_share = 0}}),
            "throttle.max_share: 0 holds nothing back; leave the throttle off instead\n");
}

TEST(LintOverloadTest, ALimitNeedsABulkheadThatRefuses) {
  EXPECT_EQ(Remarks({.bulkhead = {.mode = Mode::kShadow}, .concurrency = {.mode = Mode::kEnforce}}),
            "concurrency.mode: what it finds binds nobody while bulkhead.mode is not enforce\n");
  EXPECT_EQ(Remarks({.bulkhead = {.mode = Mode::kShadow}, .concurrency = {.mode = Mode::kShadow}}),
            "");
}

TEST(LintOverloadTest, TheBulkheadsLimitWins) {
  EXPECT_EQ(
      Remarks({.bulkhead = {.limit = 10}, .concurrency = {.mode = Mode::kEnforce, .min = 11}}),
      "concurrency.min: 11 is above bulkhead.limit 10, which wins\n");
  EXPECT_EQ(
      Remarks({.bulkhead = {.limit = 30}, .concurrency = {.mode = Mode::kEnforce, .start = 31}}),
      "concurrency.start: 31 is above bulkhead.limit 30, which wins\n");
  EXPECT_EQ(Remarks({.bulkhead = {.limit = 2}, .concurrency = {.mode = Mode::kEnforce}}), "");
}

TEST(LintOverloadTest, AStartBelowTheLeastIsNone) {
  EXPECT_EQ(Remarks({.concurrency = {.mode = Mode::kEnforce, .min = 30}}),
            "concurrency.start: 20 is below min 30, which wins\n");
}

TEST(LintOverloadTest, AnAdditiveLimitNeedsToKnowWhatIsSlow) {
  EXPECT_EQ(Remarks({.concurrency = {.mode = Mode::kEnforce, .kind = LimitKind::kAimd}}),
            "concurrency.slow_call: 0s: with kind aimd the limit grows to 1024 unless calls time "
            "out or are refused\n");
  EXPECT_EQ(
      Remarks(
          {.concurrency = {.mode = Mode::kEnforce, .kind = LimitKind::kAimd, .slow_call = 200ms}}),
      "");
}

}  // namespace
}  // namespace hale::guard
