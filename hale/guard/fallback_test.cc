#include "hale/guard/fallback.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hale::guard {
namespace {

class FallbackCallTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override {
    told_.push_back(event.kind);
    why_ = event.reason;
  }
  FallbackContext Context() { return {.name = "stock", .events = *this, .clock = clock_}; }
  static Result<int> Refused(Reason reason = Reason::kCircuitOpen) {
    return Fail(reason, Executed::kNo);
  }

  SimClock clock_;
  std::vector<EventKind> told_;
  Reason why_ = Reason::kNone;
  Fallback fallback_{{}, Context()};
};

TEST_F(FallbackCallTest, LeavesAGoodResultAsItIs) {
  EXPECT_EQ(fallback_.Or(Result<int>(7), 0).value(), 7);
  EXPECT_TRUE(told_.empty());
}

TEST_F(FallbackCallTest, GivesAValueAndSaysSo) {
  EXPECT_EQ(fallback_.Or(Refused(), 3).value(), 3);
  EXPECT_EQ(told_, std::vector{EventKind::kFellBack});
}

TEST_F(FallbackCallTest, SaysOfAFailureWithoutAReasonThatItIsTheServicesOwn) {
  EXPECT_EQ(fallback_.Or(Result<int>(Fail(Code::kUnavailable, "")), 3).value(), 3);
  EXPECT_EQ(why_, Reason::kUpstreamStatus);
}

TEST_F(FallbackCallTest, AsksAFunctionThatIsToldWhy) {
  const auto result = fallback_.Or(Refused(), [](const Error& why) {
    EXPECT_EQ(why.reason, Reason::kCircuitOpen);
    return 5;
  });
  EXPECT_EQ(result.value(), 5);
}

TEST_F(FallbackCallTest, IsAsGoodAsWhatTheFunctionGives) {
  const auto result = fallback_.Or(
      Refused(), [](const Error&) -> Result<int> { return Fail(Code::kUnavailable, "that too"); });
  EXPECT_EQ(result.error().message, "that too");
  EXPECT_TRUE(told_.empty());
}

TEST_F(FallbackCallTest, LeavesAFailureThatItIsNotFor) {
  EXPECT_EQ(fallback_.Or(Refused(Reason::kClientAbort), 3).error().reason, Reason::kClientAbort);
  EXPECT_EQ(fallback_.Or(Result<int>(Fail(Code::kNotFound, "")), 3).error().code, Code::kNotFound);
}

TEST_F(FallbackCallTest, InShadowTellsAndGivesTheFailure) {
  const Fallback shadow({.mode = policy::Mode::kShadow}, Context());
  EXPECT_FALSE(shadow.Or(Refused(), 3));
  EXPECT_EQ(told_, std::vector{EventKind::kWouldRefuse});
}

TEST_F(FallbackCallTest, GivesTheLastGoodValue) {
  LastGood<int> last(10s, clock_);
  EXPECT_EQ(fallback_.Or(Result<int>(7), last).value(), 7);
  clock_.Advance(10s);
  EXPECT_EQ(fallback_.Or(Refused(), last).value(), 7);
}

TEST_F(FallbackCallTest, GivesTheLatestOfGoodValues) {
  LastGood<int> last(10s, clock_);
  for (const int value : {7, 8}) (void)fallback_.Or(Result<int>(value), last);
  EXPECT_EQ(fallback_.Or(Refused(), last).value(), 8);
}

TEST_F(FallbackCallTest, GivesNoValueThatIsTooOld) {
  LastGood<int> last(10s, clock_);
  (void)fallback_.Or(Result<int>(7), last);
  clock_.Advance(10s + 1ns);
  EXPECT_EQ(fallback_.Or(Refused(), last).error().reason, Reason::kCircuitOpen);
  EXPECT_TRUE(told_.empty());
}

TEST_F(FallbackCallTest, GivesTheFailureWhileThereWasNothingGood) {
  LastGood<std::string> last(10s, clock_);
  const Result<std::string> failed = Fail(Reason::kNoInstance, Executed::kNo);
  EXPECT_EQ(fallback_.Or(failed, last).error().reason, Reason::kNoInstance);
}

TEST_F(FallbackCallTest, TakesTextForAText) {
  const Result<std::string> failed = Fail(Reason::kNoInstance, Executed::kNo);
  EXPECT_EQ(fallback_.Or(failed, "nobody").value(), "nobody");
}

}  // namespace
}  // namespace hale::guard
