#include "hale/policy/gcra.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

/// One word of one plan, and a time that the test moves.
class GcraTest : public testing::Test {
 protected:
  void Limit(Rate rate, std::uint64_t burst) {
    plan_ = MakeGcraPlan(rate, burst);
    word_ = GcraFresh(plan_);
  }
  GcraStep Take(std::uint64_t weight = 1) {
    const GcraStep step = GcraTake(word_, plan_, now_, weight);
    word_ = step.word;
    return step;
  }
  int TakeAll(int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += Take().admitted ? 1 : 0;
    return admitted;
  }
  /// Tries every millisecond up to and with `until` after the start.
  int Hammer(Duration until) {
    int admitted = 0;
    for (; now_ - start_ <= until; now_ += 1ms) admitted += Take().admitted ? 1 : 0;
    return admitted;
  }
  /// Takes as soon as a refusal allows, up to and with `until` after the start.
  int TakeWhenTold(Duration until) {
    int admitted = 0;
    while (now_ - start_ <= until) {
      const GcraStep step = Take();
      admitted += step.admitted ? 1 : 0;
      now_ += step.retry_after;
    }
    return admitted;
  }
  std::uint64_t remaining() const { return GcraRemaining(word_, plan_, now_); }
  Duration reset() const { return GcraReset(word_, plan_, now_); }

  GcraPlan plan_;
  std::uint64_t word_ = 0;
  const TimePoint start_{1h};
  TimePoint now_{start_};
};

TEST_F(GcraTest, AfterAnHourOfRestOnlyTheBurstPasses) {
  for (const int burst : {1, 5}) {
    Limit({10, 1s}, static_cast<std::uint64_t>(burst));
    Take();
    now_ += 1h;
    EXPECT_EQ(TakeAll(20), burst);
  }
}

TEST_F(GcraTest, HammeringDoesNotLowerTheRate) {
  Limit({100, 1s}, 1);
  EXPECT_EQ(Hammer(1s), 101);
  EXPECT_EQ(Hammer(2s), 100);
  EXPECT_EQ(Hammer(3s), 100);
}

TEST_F(GcraTest, SevenAMinuteComeAtTheirTimes) {
  Limit({7, 1min}, 1);
  EXPECT_EQ(TakeWhenTold(1s), 1);
  EXPECT_EQ(TakeWhenTold(60s), 7);
  EXPECT_EQ(TakeWhenTold(120s), 7);
}

TEST_F(GcraTest, MoreThanTheBurstIsNeverAdmitted) {
  Limit({10, 1s}, 5);
  const std::uint64_t before = word_;
  const GcraStep step = Take(6);
  EXPECT_FALSE(step.admitted);
  EXPECT_EQ(step.retry_after, kForever);
  EXPECT_EQ(word_, before);
  EXPECT_TRUE(Take(5).admitted);
}

TEST_F(GcraTest, AWeightDebitsAsMuch) {
  Limit({10, 1s}, 10);
  EXPECT_TRUE(Take(7).admitted);
  EXPECT_EQ(remaining(), 3U);
  const GcraStep step = Take(4);
  EXPECT_FALSE(step.admitted);
  EXPECT_EQ(step.retry_after, 100ms);
  EXPECT_DOUBLE_EQ(step.owed, 11);
  EXPECT_TRUE(Take(3).admitted);
}

TEST_F(GcraTest, ARefusalIsOverExactlyWhenItSays) {
  for (const Rate rate : {Rate{7, 1min}, Rate{3, 1s}, Rate{1'700'000, 1s}, Rate{1, 5s}}) {
    Limit(rate, 1);
    Take();
    const Duration wait = Take().retry_after;
    now_ += wait - 1ns;
    EXPECT_FALSE(Take().admitted);
    now_ += 1ns;
    EXPECT_TRUE(Take().admitted);
  }
}

TEST_F(GcraTest, RatesFromAFifthToTwoMillionASecondAreExact) {
  for (const Rate rate :
       {Rate{2, 10s}, Rate{3, 7s}, Rate{1'700'000, 1s}, Rate{2'000'000, 1s}, Rate{1, 24h}}) {
    Limit(rate, 1);
    const TimePoint begin = now_;
    for (int permits = 0; permits <= 1000;) {
      const GcraStep step = Take();
      if (step.admitted) ++permits;
      now_ += step.retry_after;
    }
    EXPECT_NEAR(Seconds(now_ - begin) * rate.PerSecond(), 1000, 0.01);  // within 0.001 %
  }
}

TEST_F(GcraTest, ARateOfNothingAdmitsNothing) {
  Limit({0, 1s}, 5);
  EXPECT_FALSE(Take().admitted);
  EXPECT_EQ(Take().retry_after, kForever);
}

TEST_F(GcraTest, PollingOftenLosesNoFraction) {
  Limit({3, 1s}, 2);
  int admitted = 0;
  for (int i = 0; i < 1'000'000; ++i, now_ += 1ms) admitted += Take().admitted ? 1 : 0;
  EXPECT_EQ(admitted, 3001);  // 2 at first, then one each third of the 999.999 s
}

TEST_F(GcraTest, AfterALongSleepTheBurstIsFullAndNotMore) {
  Limit({3, 1s}, 20);
  TakeAll(20);
  now_ += 24h * 365;
  EXPECT_EQ(remaining(), 20U);
  EXPECT_EQ(reset(), 0s);
  EXPECT_EQ(TakeAll(50), 20);
}

TEST_F(GcraTest, ABurstOfZeroIsWhatASecondBrings) {
  EXPECT_EQ(MakeGcraPlan({250, 1s}, 0).burst, 250U);
  EXPECT_EQ(MakeGcraPlan({6000, 1min}, 0).burst, 100U);
  EXPECT_EQ(MakeGcraPlan({2, 10s}, 0).burst, 1U);
}

TEST_F(GcraTest, ResetIsWhenAllIsPaidBack) {
  Limit({10, 1s}, 5);
  TakeAll(3);
  EXPECT_EQ(reset(), 300ms);
  now_ += 300ms - 1ns;
  EXPECT_FALSE(GcraIdle(word_, plan_, now_));
  now_ += 1ns;
  EXPECT_TRUE(GcraIdle(word_, plan_, now_));
  EXPECT_DOUBLE_EQ(GcraOwed(word_, plan_, now_), 0);
}

TEST_F(GcraTest, AClockThatStepsBackOnlyDelays) {
  Limit({10, 1s}, 1);
  Take();
  now_ -= 1s;
  EXPECT_EQ(Take().retry_after, 1100ms);
  now_ = TimePoint(-5s);
  EXPECT_FALSE(Take().admitted);
}

TEST_F(GcraTest, NeverAdmitsMoreThanRateTimesTimePlusBurstInAnyWindow) {
  SeededRandom random(7);
  for (const Rate rate : {Rate{10, 1s}, Rate{7, 3s}, Rate{900'000, 1s}}) {
    Limit(rate, 5);
    const Duration most(static_cast<std::int64_t>(2e9 / rate.PerSecond()));
    std::vector<std::pair<TimePoint, double>> admitted;
    for (int i = 0; i < 1000; ++i, now_ += random.Between(0ns, most)) {
      const std::uint64_t weight = 1 + random.Below(3);
      if (Take(weight).admitted) admitted.emplace_back(now_, static_cast<double>(weight));
    }
    for (std::size_t i = 0; i < admitted.size(); ++i) {
      double sum = 0;
      for (std::size_t j = i; j < admitted.size(); ++j) {
        sum += admitted[j].second;
        const double span = Seconds(admitted[j].first - admitted[i].first + 1ns);
        ASSERT_LE(sum, span * rate.PerSecond() + 5 + 1e-9);
      }
    }
  }
}

TEST_F(GcraTest, AnotherPlanKeepsTheDebtInPermits) {
  Limit({10, 1s}, 10);
  TakeAll(8);
  GcraPlan other = MakeGcraPlan({1, 7s}, 10);
  other.version = 1;
  word_ = GcraConvert(word_, plan_, other, now_);
  plan_ = other;
  EXPECT_DOUBLE_EQ(GcraOwed(word_, plan_, now_), 8);
  EXPECT_EQ(remaining(), 2U);
  EXPECT_EQ(GcraVersion(word_), 1U);
}

TEST_F(GcraTest, ADebtAboveANewBurstIsPaidBackFirst) {
  Limit({10, 1s}, 100);
  TakeAll(100);
  const GcraPlan lower = MakeGcraPlan({10, 1s}, 5);
  word_ = GcraConvert(word_, plan_, lower, now_);
  plan_ = lower;
  EXPECT_EQ(remaining(), 0U);
  EXPECT_EQ(Take().retry_after, 9600ms);  // 96 of the 100, so that one more makes 5
  now_ += 1min;
  EXPECT_EQ(TakeAll(50), 5);
}

TEST_F(GcraTest, ExtremesStayInRange) {
  SeededRandom random(3);
  for (int i = 0; i < 1000; ++i) {
    const Rate rate{random.Next() >> random.Below(64),
                    Duration(static_cast<std::int64_t>(random.Next() >> (1 + random.Below(62))))};
    Limit(rate, random.Next() >> random.Below(64));
    now_ = TimePoint(Duration(static_cast<std::int64_t>(random.Next() >> 5)));
    const GcraStep step = Take(random.Next() >> random.Below(64));
    EXPECT_GE(step.retry_after, 0s);
    EXPECT_EQ(GcraVersion(word_), 0U);
    EXPECT_LE(remaining(), plan_.burst);
    EXPECT_GE(reset(), 0s);
  }
}

TEST(GcraPlansTest, AWordOfTheFormerPlanIsBroughtAndAnOlderOneIsNot) {
  GcraPlans plans(MakeGcraPlan({10, 1s}, 5));
  const TimePoint now(1h);
  const std::uint64_t first = GcraFresh(plans.Load().now);
  plans.Replace(MakeGcraPlan({20, 1s}, 5));
  EXPECT_TRUE(plans.Load().Bring(first, now).has_value());
  plans.Replace(MakeGcraPlan({30, 1s}, 5));
  EXPECT_FALSE(plans.Load().Bring(first, now).has_value());
}

}  // namespace
}  // namespace hale::policy
