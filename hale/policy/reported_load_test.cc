#include "hale/policy/reported_load.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

TEST(ReportedLoadTest, IsNoneAtFirst) {
  EXPECT_EQ(ReportedLoad().Read(kNow).left, 0);
  EXPECT_EQ(ReportedLoad().Read(TimePoint(1s)).left, 0);
}

TEST(ReportedLoadTest, IsTheLastReport) {
  ReportedLoad load;
  load.Report(0.25, kNow);
  load.Report(1.5, kNow);
  EXPECT_EQ(load.Read(kNow).load, 1.5);
  EXPECT_EQ(load.Read(kNow).left, 1);
}

TEST(ReportedLoadTest, IsBelievedWithinBounds) {
  ReportedLoad load;
  load.Report(0, kNow);
  EXPECT_EQ(load.Read(kNow).load, ReportedLoad::kLeast);
  load.Report(1e300, kNow);
  EXPECT_EQ(load.Read(kNow).load, ReportedLoad::kMost);
}

TEST(ReportedLoadTest, FadesAndIsForgotten) {
  ReportedLoad load;
  load.Report(4, kNow);
  EXPECT_NEAR(load.Read(kNow + 15s).left, 0.5, 0.01);
  EXPECT_EQ(load.Read(kNow + 31s).load, 0);
}

TEST(ReportedLoadTest, IsWholeWhileAClockIsALittleBehind) {
  ReportedLoad load;
  load.Report(4, kNow);
  EXPECT_EQ(load.Read(kNow - 1s).left, 1);
}

TEST(ReportedLoadTest, CountsForNothingWhileOneIsNotKnown) {
  const CostRatio ratio = Compare({.load = 8, .left = 1}, {});
  EXPECT_EQ(ratio.one, 1);
  EXPECT_EQ(ratio.other, 1);
}

TEST(ReportedLoadTest, CountsAsFreshAsTheOlderOne) {
  EXPECT_EQ(Compare({4, 1}, {1, 1}).one, 4);
  EXPECT_EQ(Compare({4, 1}, {1, 0.5}).one, 2.5);
  EXPECT_EQ(Compare({1, 1}, {4, 0.5}).other, 2.5);
}

TEST(ReportedLoadTest, ReadsNumbersAndNothingElse) {
  EXPECT_EQ(ParseLoad("0.75"), 0.75);
  EXPECT_EQ(ParseLoad("0"), 0);
  EXPECT_EQ(ParseLoad("12"), 12);
  for (const char* bad :
       {"", "x", "-1", "0.5 ", " 0.5", "nan", "inf", "1e999", "0.5,0.5", "1e3", "-0", "+1", "."}) {
    EXPECT_FALSE(ParseLoad(bad)) << bad;
  }
  EXPECT_FALSE(ParseLoad(std::string(400, '9')));  // more than there is a number for
}

}  // namespace
}  // namespace hale::policy
