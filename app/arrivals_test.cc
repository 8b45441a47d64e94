#include "app/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hale::app {
namespace {

TEST(ArrivalsTest, AreEvenlySpacedFromTheStart) {
  SeededRandom random(1);
  Arrivals arrivals({.permits = 4, .per = 1s}, Arrivals::Kind::kConstant, random);
  EXPECT_EQ(arrivals.Next(), 0ms);
  EXPECT_EQ(arrivals.Next(), 250ms);
  EXPECT_EQ(arrivals.Next(), 500ms);
}

TEST(ArrivalsTest, DoNotDriftWhenTheGapIsNoWholeNumber) {
  SeededRandom random(1);
  Arrivals arrivals({.permits = 3, .per = 1s}, Arrivals::Kind::kConstant, random);
  Duration last{0};
  for (int i = 0; i <= 3 * 3600; ++i) last = arrivals.Next();
  EXPECT_EQ(last, 1h);
}

TEST(ArrivalsTest, OfAPoissonProcessHaveTheMeanAndTheSpreadOfExponentialGaps) {
  SeededRandom random(7);
  Arrivals arrivals({.permits = 1000, .per = 1s}, Arrivals::Kind::kPoisson, random);
  double sum = 0;
  double squares = 0;
  Duration before{0};
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const Duration at = arrivals.Next();
    const double gap = Seconds(at - before) * 1000;
    before = at;
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / kCount;
  // Standard error of the mean is 1/sqrt(100,000) = 0.3 %; of the deviation about 0.5 %.
  EXPECT_NEAR(mean, 1.0, 0.015);
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean), 1.0, 0.025);
}

TEST(ArrivalsTest, AreTheSameForTheSameSeed) {
  SeededRandom one(42);
  SeededRandom two(42);
  Arrivals a({.permits = 10, .per = 1s}, Arrivals::Kind::kPoisson, one);
  Arrivals b({.permits = 10, .per = 1s}, Arrivals::Kind::kPoisson, two);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.Next(), b.Next());
}

}  // namespace
}  // namespace hale::app
