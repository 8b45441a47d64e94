#include "app/log_histogram.h"

#include <gtest/gtest.h>

namespace hale::app {
namespace {

TEST(LogHistogramTest, KnowsNothingOfNothing) {
  const LogHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.99), Duration(0));
  EXPECT_EQ(histogram.mean(), Duration(0));
}

TEST(LogHistogramTest, IsExactForTheSmallest) {
  LogHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.Add(Duration(i));
  EXPECT_EQ(histogram.Quantile(0.5), Duration(50));
  EXPECT_EQ(histogram.Quantile(0.99), Duration(99));
  EXPECT_EQ(histogram.Quantile(1.0), Duration(100));
}

TEST(LogHistogramTest, IsWithinOnePercentEverywhere) {
  for (std::int64_t nanos = 1; nanos < Duration(1h).count(); nanos = nanos * 3 / 2 + 1) {
    LogHistogram histogram;
    histogram.Add(Duration(nanos));
    histogram.Add(Duration(2h));
    const auto found = static_cast<double>(histogram.Quantile(0.5).count());
    ASSERT_GE(found, static_cast<double>(nanos));
    ASSERT_LE(found, static_cast<double>(nanos) * 1.008) << nanos;
  }
}

TEST(LogHistogramTest, NeverSaysMoreThanTheLargestSeen) {
  LogHistogram histogram;
  histogram.Add(1'000'003ns);
  EXPECT_EQ(histogram.Quantile(0.999), 1'000'003ns);
}

TEST(LogHistogramTest, CountsWhatIsTooLongOrNegativeAtItsEnds) {
  LogHistogram histogram;
  histogram.Add(-1s);
  histogram.Add(100h);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.Quantile(0.5), Duration(0));
  EXPECT_EQ(histogram.max(), 100h);
}

TEST(LogHistogramTest, MergedIsAsIfAllHadBeenAddedToOne) {
  LogHistogram all;
  LogHistogram odd;
  LogHistogram even;
  for (int i = 1; i <= 1000; ++i) {
    const Duration span = std::chrono::microseconds(i);
    all.Add(span);
    (i % 2 == 0 ? even : odd).Add(span);
  }
  odd.Merge(even);
  EXPECT_EQ(odd.count(), all.count());
  EXPECT_EQ(odd.mean(), all.mean());
  for (const double share : {0.01, 0.5, 0.9, 0.999, 1.0}) {
    EXPECT_EQ(odd.Quantile(share), all.Quantile(share)) << share;
  }
}

}  // namespace
}  // namespace hale::app
