#include "hale/policy/service_time.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

TEST(ServiceTimeTest, IsTheFirstCallsTimeAfterTheFirst) {
  ServiceTime time;
  EXPECT_EQ(time.mean(), 0ns);
  time.Record(40ms);
  EXPECT_EQ(time.mean(), 40ms);
}

TEST(ServiceTimeTest, ComesNearWhatCallsTakeNow) {
  ServiceTime time;
  time.Record(40ms);
  for (int i = 0; i < 100; ++i) time.Record(80ms);
  EXPECT_GT(time.mean(), 79ms);
  EXPECT_LE(time.mean(), 80ms);
  for (int i = 0; i < 100; ++i) time.Record(10ms);
  EXPECT_LT(time.mean(), 11ms);
}

TEST(ServiceTimeTest, IsMovedLittleByOneCall) {
  ServiceTime time;
  for (int i = 0; i < 20; ++i) time.Record(10ms);
  time.Record(26ms);
  EXPECT_EQ(time.mean(), 11ms);
}

TEST(ServiceTimeTest, LearnsNothingFromACallThatTookNoTime) {
  ServiceTime time;
  time.Record(10ms);
  time.Record(0ns);
  time.Record(-5ms);
  EXPECT_EQ(time.mean(), 10ms);
}

}  // namespace
}  // namespace hale::policy
