#include "hale/policy/outlier_verdict.h"

#include <gtest/gtest.h>

#include <set>

namespace hale::policy {
namespace {

class PublishedVerdictTest : public testing::Test {
 protected:
  void Publish(Use use, TimePoint ramp_from = TimePoint::min()) {
    InstanceVerdict verdict;
    verdict.use = use;
    verdict.ramp_from = ramp_from;
    published_.Publish(verdict, options_, random_, now_);
  }
  bool TakeProbe() { return published_.TakeProbe(options_, random_, now_); }
  Duration Rest() const { return published_.probe_at() - now_; }

  OutlierOptions options_;
  SeededRandom random_{1};
  PublishedVerdict published_;
  TimePoint now_{1h};
};

TEST_F(PublishedVerdictTest, IsNormalAtFirst) {
  EXPECT_EQ(published_.use(), Use::kNormal);
  EXPECT_EQ(published_.ramp_from(), TimePoint::min());
  EXPECT_FALSE(TakeProbe());
}

TEST_F(PublishedVerdictTest, ShowsWhatWasJudged) {
  Publish(Use::kAnyway, now_);
  EXPECT_EQ(published_.use(), Use::kAnyway);
  EXPECT_EQ(published_.ramp_from(), now_);
}

TEST_F(PublishedVerdictTest, RestsBeforeTheFirstProbe) {
  Publish(Use::kOut);
  EXPECT_FALSE(TakeProbe());
  EXPECT_GE(Rest(), 1s);
  EXPECT_LE(Rest(), 1200ms);
  now_ = published_.probe_at();
  EXPECT_TRUE(TakeProbe());
}

TEST_F(PublishedVerdictTest, GivesOneProbeARest) {
  Publish(Use::kOut);
  now_ = published_.probe_at();
  EXPECT_TRUE(TakeProbe());
  EXPECT_FALSE(TakeProbe());
  now_ += 1900ms;
  EXPECT_FALSE(TakeProbe());
  now_ += 600ms;
  EXPECT_TRUE(TakeProbe());
}

TEST_F(PublishedVerdictTest, RestsTwiceAsLongEachTimeUpToItsMost) {
  Publish(Use::kOut);
  for (const Duration rest : {2s, 4s, 8s, 16s, 30s, 30s}) {
    now_ = published_.probe_at();
    EXPECT_TRUE(TakeProbe());
    EXPECT_GE(Rest(), rest);
    EXPECT_LE(Rest(), rest * 6 / 5);
  }
}

TEST_F(PublishedVerdictTest, NeverRestsLongerThanItsMostNorShorterThanAtFirst) {
  options_ = {.rest = 2s, .max_rest = 3s};
  Publish(Use::kOut);
  now_ = published_.probe_at();
  EXPECT_TRUE(TakeProbe());
  EXPECT_LE(Rest(), 3600ms);
  options_.max_rest = 1s;
  now_ = published_.probe_at();
  EXPECT_TRUE(TakeProbe());
  EXPECT_GE(Rest(), 2s);
}

TEST_F(PublishedVerdictTest, DoesNotRestAnewWhenJudgedAgain) {
  Publish(Use::kOut);
  const TimePoint probe_at = published_.probe_at();
  now_ += 500ms;
  Publish(Use::kOut);
  EXPECT_EQ(published_.probe_at(), probe_at);
}

TEST_F(PublishedVerdictTest, ForgetsItsRestsWhenItIsBack) {
  Publish(Use::kOut);
  for (int i = 0; i < 4; ++i) {
    now_ = published_.probe_at();
    TakeProbe();
  }
  Publish(Use::kNormal);
  EXPECT_EQ(published_.probe_at(), kNever);
  Publish(Use::kOut);
  EXPECT_LE(Rest(), 1200ms);
  now_ = published_.probe_at();
  TakeProbe();
  EXPECT_LE(Rest(), 2400ms);
}

TEST_F(PublishedVerdictTest, RestsNoLongerThanAtFirstWhereItIsMissed) {
  Publish(Use::kOut);
  for (int i = 0; i < 4; ++i) {
    now_ = published_.probe_at();
    TakeProbe();
  }
  const TimePoint began = now_;
  published_.Hasten(options_, now_);
  EXPECT_EQ(published_.probe_at(), began + 1s);
  now_ += 3s;
  published_.Hasten(options_, now_);
  EXPECT_EQ(published_.probe_at(), began + 1s);
  EXPECT_TRUE(TakeProbe());
}

TEST_F(PublishedVerdictTest, IsNotHastenedIntoALongerRestNorWhileItIsIn) {
  Publish(Use::kOut);
  now_ += 500ms;
  const TimePoint probe_at = published_.probe_at();
  published_.Hasten(options_, now_);
  EXPECT_LE(published_.probe_at(), probe_at);
  EXPECT_GE(Rest(), 500ms);
  Publish(Use::kNormal);
  published_.Hasten(options_, now_);
  EXPECT_EQ(published_.probe_at(), kNever);
}

TEST_F(PublishedVerdictTest, SpreadsTheProbesOfManyThatDiedTogether) {
  std::set<TimePoint> probes;
  for (int i = 0; i < 100; ++i) {
    PublishedVerdict one;
    InstanceVerdict verdict;
    verdict.use = Use::kOut;
    one.Publish(verdict, options_, random_, now_);
    probes.insert(one.probe_at());
  }
  EXPECT_GT(probes.size(), 90U);
}

}  // namespace
}  // namespace hale::policy
