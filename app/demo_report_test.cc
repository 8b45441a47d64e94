#include "app/demo_report.h"

#include <gmock/gmock.h>

namespace hale::app {
namespace {

using testing::HasSubstr;
using testing::Not;

DemoRow Row(std::string name, std::uint64_t failed = 0) {
  DemoRow row;
  row.name = std::move(name);
  row.users = {.requests = 1500, .failed = failed, .slowest = 12ms};
  return row;
}

DemoRow Fault(std::string name, std::uint64_t failed) {
  DemoRow row = Row(std::move(name), failed);
  row.fault = true;
  return row;
}

TEST(DemoReportTest, PassesWhenOnlyThoseWithoutHaleFailed) {
  EXPECT_EQ(Judge({.hale = DemoRows{Fault("killed", 0)}, .bare = DemoRows{Fault("killed", 7)}}),
            DemoVerdict::kPassed);
}

TEST(DemoReportTest, FailsOnOneFailedUserWithHale) {
  EXPECT_EQ(Judge({.hale = DemoRows{Row("steady", 1)}, .bare = DemoRows{Fault("killed", 7)}}),
            DemoVerdict::kUserFailed);
}

TEST(DemoReportTest, IsNoStoryWhenThoseWithoutSawNoFault) {
  EXPECT_EQ(Judge({.hale = DemoRows{}, .bare = DemoRows{Fault("killed", 0), Row("slow", 3)}}),
            DemoVerdict::kNoStory);
}

TEST(DemoReportTest, JudgesTheBareStoryAlone) {
  EXPECT_EQ(Judge({.hale = {}, .bare = DemoRows{Fault("killed", 2)}}), DemoVerdict::kPassed);
}

TEST(DemoReportTest, DoesNotHoldTheFloodersRefusalsAgainstHale) {
  DemoRow row = Row("flood");
  row.flooder = {.requests = 100, .failed = 90, .slowest = 1ms};
  EXPECT_EQ(Judge({.hale = DemoRows{row}, .bare = {}}), DemoVerdict::kPassed);
}

TEST(DemoReportTest, PutsBothTellingsOfAPhaseOnOneLine) {
  const std::string table =
      DemoTable({.hale = DemoRows{Fault("killed", 0)}, .bare = DemoRows{Fault("killed", 437)}});
  EXPECT_THAT(table, testing::ContainsRegex("\nkilled +1,500 +0 +12ms +1,500 +437 +12ms\n"));
}

TEST(DemoReportTest, LeavesTheCellsOfAPhaseOutThatWasToldOnce) {
  const std::string table = DemoTable(
      {.hale = DemoRows{Row("steady"), Row("edit")}, .bare = DemoRows{Fault("steady", 1)}});
  EXPECT_THAT(table, testing::ContainsRegex("\nedit +1,500 +0 +12ms\n"));
}

TEST(DemoReportTest, SumsTheFailedAndKeepsTheSlowest) {
  DemoRow slow = Row("slow", 2);
  slow.users.slowest = 400ms;
  const DemoTally all = Users({Row("steady", 1), slow, Row("edit")});
  EXPECT_EQ(all.requests, 4500);
  EXPECT_EQ(all.failed, 3);
  EXPECT_EQ(all.slowest, 400ms);
}

TEST(DemoReportTest, SpeaksOfAFlooderOnlyWhenThereWasOne) {
  DemoRow row = Row("flood");
  EXPECT_THAT(DemoTable({.hale = DemoRows{row}, .bare = {}}), Not(HasSubstr("flooded")));
  row.flooder = {.requests = 10'000, .failed = 9'000, .slowest = 1ms};
  EXPECT_THAT(DemoTable({.hale = DemoRows{row}, .bare = {}}),
              HasSubstr("10,000 requests, 9,000 of them refused"));
}

TEST(DemoReportTest, GroupsDigitsByThree) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace hale::app
