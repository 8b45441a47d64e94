#include "hale/config/updater.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hale/config/sample_schema.h"

namespace hale::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UpdaterTest : public ::testing::Test {
 protected:
  Offered Offer(std::string_view text) { return updater_.Offer(text, "f"); }
  const Sample& value() const { return updater_.current()->value; }

  Updater<Sample> updater_{[](std::string_view text, const std::string& file) {
                             auto parsed = Read<Sample>(text, file);
                             if (parsed.value.port == 7) {
                               Findings(parsed.origins, parsed.problems).Warn("port", "odd");
                             }
                             return parsed;
                           },
                           {"wheel", "name"}};
};

TEST_F(UpdaterTest, NothingIsInForceBeforeTheFirst) {
  EXPECT_EQ(updater_.current()->revision, 0U);
  EXPECT_EQ(value(), Sample{});
}

TEST_F(UpdaterTest, AppliesAGoodDocument) {
  const Offered offered = Offer("port: 1");
  EXPECT_EQ(offered.verdict, Verdict::kApplied);
  EXPECT_EQ(offered.revision, 1U);
  EXPECT_THAT(offered.changes, ElementsAre(Change{"port", "80", "1"}));
  EXPECT_EQ(value().port, 1);
}

TEST_F(UpdaterTest, ABadDocumentChangesNothingAndSaysWhy) {
  Offer("port: 1");
  const Offered offered = Offer("port: x");
  EXPECT_EQ(offered.verdict, Verdict::kRejected);
  EXPECT_EQ(offered.revision, 1U);
  EXPECT_EQ(Print(offered.problems), "f:1:7 port: 'x' is not a whole number\n");
  EXPECT_EQ(Print(updater_.rejected()), Print(offered.problems));
  EXPECT_EQ(value().port, 1);
}

TEST_F(UpdaterTest, ABadDocumentDoesNotStopTheNextGoodOne) {
  Offer("port: 1");
  Offer("port: x");
  EXPECT_EQ(Offer("port: 2").verdict, Verdict::kApplied);
  EXPECT_EQ(value().port, 2);
  EXPECT_THAT(updater_.rejected(), IsEmpty());
}

TEST_F(UpdaterTest, ABadFirstDocumentLeavesNothingInForce) {
  EXPECT_EQ(Offer("port: x").verdict, Verdict::kRejected);
  EXPECT_EQ(updater_.current()->revision, 0U);
  EXPECT_EQ(Offer("port: 2").revision, 1U);
}

TEST_F(UpdaterTest, TheSameTextAgainIsNoChange) {
  Offer("port: 1");
  EXPECT_EQ(Offer("port: 1").verdict, Verdict::kUnchanged);
  Offer("port: x");
  EXPECT_EQ(Offer("port: x").verdict, Verdict::kUnchanged);
  EXPECT_EQ(updater_.current()->revision, 1U);
}

TEST_F(UpdaterTest, TakingABadEditBackClearsTheComplaint) {
  Offer("port: 1");
  Offer("port: x");
  EXPECT_EQ(Offer("port: 1").verdict, Verdict::kUnchanged);
  EXPECT_THAT(updater_.rejected(), IsEmpty());
}

TEST_F(UpdaterTest, ATextThatCannotBeHadChangesNothingAndIsSaidUntilOneCan) {
  Offer("port: 1");
  const Offered offered = updater_.Refuse({.file = "f", .message = "is gone"});
  EXPECT_EQ(offered.verdict, Verdict::kRejected);
  EXPECT_EQ(Print(updater_.rejected()), "f: is gone\n");
  EXPECT_EQ(value().port, 1);
  EXPECT_EQ(Offer("port: 1").verdict, Verdict::kUnchanged);
  EXPECT_THAT(updater_.rejected(), IsEmpty());
}

TEST_F(UpdaterTest, ABadTextThatComesBackIsRejectedAgain) {
  Offer("port: x");
  Offer("port: 1");
  EXPECT_EQ(Offer("port: x").verdict, Verdict::kRejected);
}

TEST_F(UpdaterTest, RevisionsOnlyGrow) {
  EXPECT_EQ(Offer("port: 1").revision, 1U);
  EXPECT_EQ(Offer("port: 2").revision, 2U);
  EXPECT_EQ(Offer("port: 1").revision, 3U);
}

TEST_F(UpdaterTest, WarningsDoNotStopADocument) {
  const Offered offered = Offer("port: 7");
  EXPECT_EQ(offered.verdict, Verdict::kApplied);
  EXPECT_EQ(Print(offered.problems), "f:1:1 port: warning: odd\n");
  EXPECT_EQ(updater_.current()->warnings, offered.problems);
}

TEST_F(UpdaterTest, SectionsReadAtStartStayAndTheRestApplies) {
  Offer("{name: a, wheel: 2B, port: 1}");
  const Offered offered = Offer("{name: b, wheel: 2B, port: 2}");
  EXPECT_EQ(offered.verdict, Verdict::kApplied);
  EXPECT_THAT(offered.at_next_start, ElementsAre("name"));
  EXPECT_THAT(offered.changes, ElementsAre(Change{"port", "1", "2"}));
  EXPECT_EQ(value().name, "a");
  EXPECT_EQ(value().port, 2);
}

TEST_F(UpdaterTest, OriginsOfSectionsReadAtStartStayToo) {
  Offer("name: a\n");
  Offer("port: 2\n\n\nwheel: 3B\n");
  EXPECT_EQ(updater_.current()->origins.Describe("name"), "f:1");
  EXPECT_EQ(updater_.current()->origins.Describe("wheel.size"), "default");
  EXPECT_EQ(updater_.current()->origins.Describe("port"), "f:1");
}

TEST_F(UpdaterTest, WhatWaitsForTheNextStartIsComparedWithTheStart) {
  Offer("name: a");
  EXPECT_THAT(Offer("name: b").at_next_start, ElementsAre("name"));
  EXPECT_THAT(Offer("{name: a, port: 1}").at_next_start, IsEmpty());
}

TEST_F(UpdaterTest, APinnedSnapshotDoesNotChange) {
  Offer("port: 1");
  const auto pinned = updater_.current();
  Offer("port: 2");
  EXPECT_EQ(pinned->value.port, 1);
  EXPECT_EQ(pinned->revision, 1U);
}

TEST_F(UpdaterTest, KnowsTheTextByItsHash) {
  Offer("port: 1");
  EXPECT_EQ(updater_.current()->hash, ContentHash("port: 1"));
  EXPECT_NE(ContentHash("port: 1"), ContentHash("port: 2"));
}

TEST(ContentHashTest, IsFowlerNollVo) {
  // The vectors of the authors' reference code (fnv64a).
  EXPECT_EQ(ContentHash(""), "cbf29ce484222325");
  EXPECT_EQ(ContentHash("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(ContentHash("foobar"), "85944171f73967e8");
}

}  // namespace
}  // namespace hale::config
