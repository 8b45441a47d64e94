#include "hale/config/origins.h"

#include <gtest/gtest.h>

namespace hale::config {
namespace {

Origins Known() {
  Origins origins("f");
  origins.Add("a", {1, 1});
  origins.Add("a.list[0]", {2, 3});
  origins.Add(R"(a["x.y"])", {3, 3});
  return origins;
}

TEST(OriginsTest, TellsSetFromDefault) {
  EXPECT_EQ(Known().Describe("a.list[0]"), "f:2");
  EXPECT_EQ(Known().Describe("a.list[1]"), "default");
}

TEST(OriginsTest, WhatIsNotThereIsAtWhatIsAroundIt) {
  EXPECT_EQ(Known().At("a.list[0].size"), (Position{2, 3}));
  EXPECT_EQ(Known().At("a.list[1].size"), (Position{1, 1}));
  EXPECT_EQ(Known().At(R"(a["x.y"].z)"), (Position{3, 3}));
  EXPECT_EQ(Known().At(R"(a["u.v"].z)"), (Position{1, 1}));
  EXPECT_EQ(Known().At("b"), (Position{1, 1}));
}

TEST(OriginsTest, TakesOverOneSection) {
  Origins other("f");
  other.Add("a", {9, 1});
  other.Add("ab", {10, 1});
  Origins origins = Known();
  origins.Add("ab", {5, 1});
  origins.Replace("a", other);
  EXPECT_EQ(origins.Describe("a"), "f:9");
  EXPECT_EQ(origins.Describe("a.list[0]"), "default");
  EXPECT_EQ(origins.Describe("ab"), "f:5");
}

TEST(FindingsTest, GivesEachProblemItsPlace) {
  const Origins origins = Known();
  Problems problems;
  Findings(origins, problems).Error("a.list[0].x", "wrong");
  EXPECT_EQ(Print(problems), "f:2:3 a.list[0].x: wrong\n");
}

TEST(FindingsTest, IsSilentAboutWhatCouldNotBeRead) {
  const Origins origins = Known();
  Problems problems = {{Severity::kError, "f", {2, 3}, "a.list", "found a word"}};
  Findings findings(origins, problems);
  findings.Error("a", "holds it");
  findings.Error("a.list", "is it");
  findings.Warn("a.list[0].x", "is held by it");
  EXPECT_EQ(problems.size(), 1U);
  findings.Error("a.listing", "has nothing to do with it");
  EXPECT_EQ(problems.size(), 2U);
}

TEST(FindingsTest, SaysWhatCouldNotBeRead) {
  const Origins origins = Known();
  Problems problems = {{Severity::kError, "f", {2, 3}, "a.list", "found a word"},
                       {Severity::kWarning, "f", {2, 3}, "b", "odd"}};
  Findings findings(origins, problems);
  findings.Error("c", "found later");
  for (const char* unread : {"a", "a.list", "a.list[0].x"}) EXPECT_TRUE(findings.Unread(unread));
  for (const char* read : {"a.listing", "b", "c"}) EXPECT_FALSE(findings.Unread(read));
}

TEST(FindingsTest, IsNotSilentAboutItsOwn) {
  const Origins origins = Known();
  Problems problems;
  Findings findings(origins, problems);
  findings.Error("a", "one");
  findings.Error("a", "two");
  EXPECT_EQ(problems.size(), 2U);
}

TEST(FindingsTest, HasABound) {
  const Origins origins;
  Problems problems;
  Findings findings(origins, problems);
  for (int i = 0; i < 1000; ++i) findings.Error("a", "wrong");
  EXPECT_EQ(problems.size(), 2 * kMaxProblems);
}

}  // namespace
}  // namespace hale::config
