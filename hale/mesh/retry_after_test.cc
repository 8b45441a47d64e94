#include "hale/mesh/retry_after.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples.
constexpr WallTime kNow{std::chrono::seconds(784'111'777)};

TEST(RetryAfterTest, TakesSeconds) {
  EXPECT_EQ(ParseRetryAfter("0", kNow), 0s);
  EXPECT_EQ(ParseRetryAfter("120", kNow), 120s);
}

TEST(RetryAfterTest, TakesADate) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:07 GMT", kNow), 30s);
}

TEST(RetryAfterTest, ADateThatHasPassedAsksForNothing) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kNow), 0s);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:00 GMT", kNow), 0s);
}

TEST(RetryAfterTest, IsAtMostADay) {
  EXPECT_EQ(ParseRetryAfter("4294967295", kNow), 24h);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 2994 08:49:37 GMT", kNow), 24h);
}

TEST(RetryAfterTest, WhatIsNoValueAsksForNothing) {
  for (const std::string_view value :
       {"", "-1", "1.5", "soon", "12 ", "99999999999", "Sun, 06 Nov 1994 08:50:07 CET",
        "Sun, 06 Nov 1994 08:50:07 GMT+1"}) {
    EXPECT_EQ(ParseRetryAfter(value, kNow), 0s) << value;
  }
}

}  // namespace
}  // namespace hale::mesh
