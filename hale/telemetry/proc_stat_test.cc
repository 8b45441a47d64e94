#include "hale/telemetry/proc_stat.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::telemetry {
namespace {

// The fields from the third on, numbered so that each is told from the others.
constexpr std::string_view kFields =
    " S 4 5 6 7 8 9 10 11 12 13 1400 15 16 17 18 19 20 21 2200 23000 240 25 26\n";

TEST(ProcStatTest, ReadsTheFieldsByTheirNumbers) {
  const auto stat = ParseProcStat("1 (hale)" + std::string(kFields));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_ticks, 1415);
  EXPECT_EQ(stat->threads, 20);
  EXPECT_EQ(stat->start_ticks, 2200);
  EXPECT_EQ(stat->virtual_bytes, 23000);
  EXPECT_EQ(stat->resident_pages, 240);
}

TEST(ProcStatTest, TheCommandMayBeCalledAnything) {
  const auto stat = ParseProcStat("1 (a) S 9 (b 77)" + std::string(kFields));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_ticks, 1415);
}

TEST(ProcStatTest, WhatIsCutShortIsNothing) {
  EXPECT_FALSE(ParseProcStat(""));
  EXPECT_FALSE(ParseProcStat("1 (hale) S 4 5"));
  EXPECT_FALSE(ParseProcStat("1 (hale) S a b c d e f g h i j k l m n o p q r s t u"));
}

TEST(ProcStatTest, FindsTheTimeOfBoot) {
  EXPECT_EQ(ParseBootTime("cpu 1\nbtime 1700000000\nprocesses 1\n"), 1700000000);
  EXPECT_FALSE(ParseBootTime("cpu 1\n"));
}

}  // namespace
}  // namespace hale::telemetry
