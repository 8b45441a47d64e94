#include "hale/policy/stall.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace hale::policy {
namespace {

constexpr Duration kTheta = 250ms;

class StallTest : public testing::Test {
 protected:
  Pulse::Call Send(std::size_t who) { return pulses_[who].OnSent(now_); }
  /// A call that is answered within a millisecond.
  void Serve(std::size_t who) {
    auto call = Send(who);
    now_ += 1ms;
    call.Answered(now_);
  }
  std::vector<PulseReading> Read() const {
    std::vector<PulseReading> readings;
    for (std::size_t i = 0; i < count_; ++i) readings.push_back(pulses_[i].Read());
    return readings;
  }
  /// Judges and marks, as who runs it does.
  void Judge() {
    const auto readings = Read();
    const auto stalled = JudgeStalls(readings, kTheta, now_);
    for (std::size_t i = 0; i < count_; ++i) {
      if (stalled[i]) pulses_[i].MarkStalled(readings[i]);
    }
  }
  bool Stalled(std::size_t who) const { return pulses_[who].stalled(); }

  std::size_t count_ = 2;
  std::array<Pulse, 3> pulses_;
  TimePoint now_{1h};
};

TEST_F(StallTest, FindsTheOneOfTwoThatHasStopped) {
  const auto hung = Send(0);
  now_ += 1ms;
  Serve(1);
  now_ += kTheta;
  Judge();
  EXPECT_TRUE(Stalled(0));
  EXPECT_FALSE(Stalled(1));
}

TEST_F(StallTest, WaitsForThetaExactly) {
  const auto hung = Send(0);
  now_ += 1ms;
  Serve(1);
  now_ = hung.sent() + kTheta - 1ns;
  Judge();
  EXPECT_FALSE(Stalled(0));
  now_ += 1ns;
  Judge();
  EXPECT_TRUE(Stalled(0));
}

TEST_F(StallTest, FindsNobodyWhenAllAreSlow) {
  const auto one = Send(0);
  const auto two = Send(1);
  now_ += 10s;
  Judge();
  EXPECT_FALSE(Stalled(0));
  EXPECT_FALSE(Stalled(1));
}

TEST_F(StallTest, NeedsAPeersAnswerToALaterCall) {
  auto earlier = Send(1);
  now_ += 1ms;
  const auto hung = Send(0);
  now_ += 1ms;
  earlier.Answered(now_);  // it was sent before: that says nothing
  now_ += 10s;
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, TakesNoAnswerToACallOfTheSameInstantForALaterOne) {
  const auto hung = Send(0);
  Serve(1);
  now_ += 10s;
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, TakesThePeersLatestAnswerThoughItsOwnIsLater) {
  // By the clock of a loop that is ahead it has answered itself since its silence began.
  const PulseReading silent = {.waiting_since = now_, .answered = now_ + 5ms, .unanswered = 1};
  const PulseReading peer = {.answered = now_ + 1ms};
  EXPECT_TRUE(JudgeStalls(std::array{silent, peer}, kTheta, now_ + kTheta)[0]);
  EXPECT_TRUE(JudgeStalls(std::array{peer, silent}, kTheta, now_ + kTheta)[1]);
}

TEST_F(StallTest, JudgesNobodySilentWhoOwesNoAnswer) {
  const std::array set = {PulseReading{.waiting_since = now_},
                          PulseReading{.answered = now_ + 1ms}};
  EXPECT_FALSE(JudgeStalls(set, kTheta, now_ + kTheta)[0]);
}

TEST_F(StallTest, JudgesTheStalledToBeSoStill) {
  const PulseReading stalled = {.stalled = true};
  EXPECT_TRUE(JudgeStalls({&stalled, 1}, kTheta, now_)[0]);
}

TEST_F(StallTest, FindsNobodyAlone) {
  count_ = 1;
  Serve(0);
  const auto hung = Send(0);
  now_ += 10s;
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, TakesNoAnswerOfItsOwnForAPeers) {
  count_ = 1;
  const auto hung = Send(0);
  // A loop whose clock is ahead: its call seems to be sent after the silence began.
  now_ += 5ms;
  auto reading = pulses_[0].Read();
  reading.answered = now_;
  now_ += 10s;
  EXPECT_FALSE(JudgeStalls({&reading, 1}, kTheta, now_)[0]);
}

TEST_F(StallTest, TakesAnyByteForLife) {
  const auto hung = Send(0);
  now_ += 200ms;
  pulses_[0].OnBytes(now_);  // of another call, or a check
  Serve(1);
  now_ += 100ms;
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, BeginsTheSilenceAnewAtTheLastByte) {
  const auto hung = Send(0);
  now_ += 200ms;
  pulses_[0].OnBytes(now_);
  now_ += 1ms;
  Serve(1);
  now_ += kTheta;
  Judge();
  EXPECT_TRUE(Stalled(0));
}

TEST_F(StallTest, CountsFromTheFirstCallThatIsOut) {
  const auto hung = Send(0);
  now_ += 200ms;
  const auto later = Send(0);
  Serve(1);
  now_ = hung.sent() + kTheta;
  Judge();
  EXPECT_TRUE(Stalled(0));
}

TEST_F(StallTest, CountsAlsoFromTheBeginningOfAClock) {
  now_ = TimePoint();
  const auto hung = Send(0);
  now_ += 1ms;
  Serve(1);
  now_ += kTheta;
  Judge();
  EXPECT_TRUE(Stalled(0));
}

TEST_F(StallTest, EndsWithAnyByte) {
  const auto hung = Send(0);
  now_ += 1ms;
  Serve(1);
  now_ += kTheta;
  Judge();
  pulses_[0].OnBytes(now_);
  EXPECT_FALSE(Stalled(0));
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, StaysWhenItsCallsAreGivenUp) {
  {
    const auto hung = Send(0);
    now_ += 1ms;
    Serve(1);
    now_ += kTheta;
    Judge();
  }
  now_ += 1min;
  Judge();
  EXPECT_TRUE(Stalled(0));
}

TEST_F(StallTest, SuspectsNobodyWithoutACallOut) {
  {
    const auto given_up = Send(0);
    now_ += 1ms;
  }
  Serve(1);
  now_ += 1min;
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, SuspectsNobodyForACallThatWasJustSent) {
  Serve(0);
  now_ += 1min;
  Serve(1);
  const auto fresh = Send(0);
  Serve(1);
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, CountsNoTimeInWhichNothingWasOut) {
  {
    const auto given_up = Send(0);
  }
  now_ += 1min;
  const auto fresh = Send(0);
  now_ += 1ms;
  Serve(1);
  Judge();
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, FindsTwoOfThreeByTheThird) {
  count_ = 3;
  const auto one = Send(0);
  const auto two = Send(1);
  now_ += 1ms;
  Serve(2);
  now_ += kTheta;
  Judge();
  EXPECT_TRUE(Stalled(0));
  EXPECT_TRUE(Stalled(1));
  EXPECT_FALSE(Stalled(2));
}

TEST_F(StallTest, DoesNotMarkWhoHasAnsweredSinceItWasRead) {
  const auto hung = Send(0);
  now_ += 1ms;
  Serve(1);
  now_ += kTheta;
  const auto readings = Read();
  ASSERT_TRUE(JudgeStalls(readings, kTheta, now_)[0]);
  pulses_[0].OnBytes(now_);
  EXPECT_FALSE(pulses_[0].MarkStalled(readings[0]));
  EXPECT_FALSE(Stalled(0));
}

TEST_F(StallTest, TellsEachWhoMarksItThatItIsStalled) {
  const auto hung = Send(0);
  const PulseReading reading = pulses_[0].Read();
  EXPECT_TRUE(pulses_[0].MarkStalled(reading));
  EXPECT_TRUE(pulses_[0].MarkStalled(reading));
}

TEST_F(StallTest, GivesUpACallThatAnotherReplaces) {
  {
    auto one = Send(0);
    auto two = Send(0);
    one = std::move(two);
  }
  EXPECT_EQ(pulses_[0].Read().unanswered, 0U);
}

TEST_F(StallTest, CountsACallOnceHoweverItIsMoved) {
  {
    auto call = Send(0);
    Pulse::Call moved = std::move(call);
    Pulse::Call again;
    again = std::move(moved);
    EXPECT_EQ(pulses_[0].Read().unanswered, 1U);
    again.Answered(now_);
    again.Answered(now_);
  }
  EXPECT_EQ(pulses_[0].Read().unanswered, 0U);
  EXPECT_EQ(pulses_[0].Read().answered, now_);
  EXPECT_EQ(pulses_[0].Read().waiting_since, kNever);
}

TEST_F(StallTest, RemembersTheLatestCallThatWasAnswered) {
  auto early = Send(0);
  now_ += 10ms;
  auto late = Send(0);
  late.Answered(now_ + 1ms);
  early.Answered(now_ + 2ms);
  EXPECT_EQ(pulses_[0].Read().answered, now_);
  EXPECT_EQ(pulses_[0].Read().last_byte, now_ + 2ms);
}

}  // namespace
}  // namespace hale::policy
