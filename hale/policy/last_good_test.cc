#include "hale/policy/last_good.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hale::policy {
namespace {

using Kept = LastGoodCore::Kept;

std::shared_ptr<const void> Answer(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string TextOf(const std::optional<LastGoodFound>& found) {
  return found ? *static_cast<const std::string*>(found->value.get()) : "nothing";
}

constexpr std::size_t kEach = LastGoodCore::kEntryBytes + 1;  // of an entry with a key of one byte

class LastGoodTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event.kind); }
  Kept Keep(std::string_view key, std::size_t bytes = 0) {
    return core_.Keep(key, Answer(std::string(key)), bytes, now_);
  }
  Kept KeepAbout(std::string_view key, LastGoodMark asked) {
    return core_.Keep(key, Answer(std::string(key)), 0, now_, kForever, asked);
  }
  TimePoint now_{1h};
  LastGoodCore core_{{.max_age = 10s, .entries = 3}};
  std::vector<EventKind> told_;
};

TEST_F(LastGoodTest, GivesWhatWasKeptAndHowOldItIs) {
  Keep("a");
  now_ += 4s;
  const auto found = core_.Find("a", now_);
  EXPECT_EQ(TextOf(found), "a");
  EXPECT_EQ(found->age, 4s);
  EXPECT_EQ(TextOf(core_.Find("b", now_)), "nothing");
}

TEST_F(LastGoodTest, GivesWhatIsAsOldAsAllowedAndNothingOlder) {
  Keep("a");
  EXPECT_EQ(TextOf(core_.Find("a", now_ + 10s)), "a");
  EXPECT_EQ(TextOf(core_.Find("a", now_ + 10s + 1ns)), "nothing");
  EXPECT_EQ(core_.entries(), 0U) << "what is too old takes no room";
}

TEST_F(LastGoodTest, GivesAnAnswerNoLongerThanItsServiceAllows) {
  core_.Keep("a", Answer("a"), 0, now_, 2s);
  EXPECT_EQ(TextOf(core_.Find("a", now_ + 2s)), "a");
  EXPECT_EQ(TextOf(core_.Find("a", now_ + 2s + 1ns)), "nothing");
}

TEST_F(LastGoodTest, KnowsNoAgeOfWhatMayNotBeGiven) {
  Keep("a");
  EXPECT_EQ(core_.Age("a", now_ + 10s), 10s);
  EXPECT_EQ(core_.Age("a", now_ + 10s + 1ns), kForever);
  EXPECT_EQ(core_.Age("b", now_), kForever);
}

TEST_F(LastGoodTest, IsNotMadeYoungerByAClockThatStepsBack) {
  Keep("a");
  EXPECT_EQ(core_.Find("a", now_ - 1min)->age, 0s);
  EXPECT_EQ(core_.Age("a", now_ - 1min), 0s);
}

TEST_F(LastGoodTest, KeepsTheLastOfAKey) {
  Keep("a", 100);
  core_.Keep("a", Answer("new"), 10, now_);
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "new");
  EXPECT_EQ(core_.entries(), 1U);
  EXPECT_EQ(core_.bytes(), kEach + 10);
}

TEST_F(LastGoodTest, DropsWhatWasUsedLongestAgo) {
  for (const auto* key : {"a", "b", "c"}) EXPECT_EQ(Keep(key), Kept::kYes);
  (void)core_.Find("a", now_);
  EXPECT_EQ(Keep("d"), Kept::kMadeRoom);
  EXPECT_EQ(TextOf(core_.Find("b", now_)), "nothing");
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "a");
}

TEST_F(LastGoodTest, CountsTheBytesOfKeysAnswersAndEntries) {
  core_.Apply({.max_age = 10s, .memory = {2 * kEach + 100}, .entries = 100});
  EXPECT_EQ(Keep("a", 50), Kept::kYes);
  EXPECT_EQ(Keep("b", 50), Kept::kYes);
  EXPECT_EQ(core_.bytes(), 2 * kEach + 100);
  EXPECT_EQ(Keep("c", 1), Kept::kMadeRoom);
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
}

TEST_F(LastGoodTest, KeepsWhatIsJustSmallEnoughAlone) {
  core_.Apply({.max_age = 10s, .memory = {kEach + 100}, .entries = 100});
  EXPECT_EQ(Keep("a", 100), Kept::kYes);
  EXPECT_EQ(Keep("a", 101), Kept::kTooLarge);
}

TEST_F(LastGoodTest, DropsNothingForWhatIsTooLargeAlone) {
  core_.Apply({.max_age = 10s, .memory = {2 * kEach}, .entries = 100});
  Keep("a");
  EXPECT_EQ(Keep("b", 2 * kEach), Kept::kTooLarge);
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "a");
}

TEST_F(LastGoodTest, ForgetsTheOldAnswerOfAKeyWhoseNewOneIsTooLarge) {
  core_.Apply({.max_age = 10s, .memory = {2 * kEach}, .entries = 100});
  Keep("a");
  Keep("a", 2 * kEach);
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
}

TEST_F(LastGoodTest, KeepsNothingWithoutAnAge) {
  Keep("a");
  core_.Apply({});
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
  EXPECT_EQ(Keep("b"), Kept::kNo);
  EXPECT_EQ(core_.bytes(), 0U);
}

TEST_F(LastGoodTest, KeepsWhatFitsWhenItsBoundsChange) {
  for (const auto* key : {"a", "b", "c"}) Keep(key);
  core_.Apply({.max_age = 20s, .entries = 2});
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
  EXPECT_EQ(TextOf(core_.Find("c", now_ + 15s)), "c");
}

TEST_F(LastGoodTest, ForgetsWhatIsDropped) {
  Keep("a");
  EXPECT_TRUE(core_.Drop("a"));
  EXPECT_FALSE(core_.Drop("a"));
  EXPECT_EQ(core_.bytes(), 0U);
}

TEST_F(LastGoodTest, GivesNoAnswerAboutWhatHasChanged) {
  for (const auto* key : {"a", "b"}) KeepAbout(key, core_.Mark("subject"));
  KeepAbout("c", core_.Mark("other"));
  core_.Outdate("subject");
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
  EXPECT_EQ(core_.Age("b", now_), kForever);
  EXPECT_EQ(TextOf(core_.Find("c", now_)), "c");
}

TEST_F(LastGoodTest, GivesAnAnswerThatWasAskedForAfterTheChange) {
  KeepAbout("old", core_.Mark("subject"));
  core_.Outdate("subject");
  EXPECT_EQ(KeepAbout("new", core_.Mark("subject")), Kept::kYes);
  EXPECT_EQ(TextOf(core_.Find("old", now_)), "nothing");
  EXPECT_EQ(TextOf(core_.Find("new", now_)), "new");
}

TEST_F(LastGoodTest, KeepsNoAnswerThatWasAskedForBeforeTheChange) {
  const LastGoodMark before = core_.Mark("subject");
  core_.Outdate("subject");
  KeepAbout("a", core_.Mark("subject"));
  core_.Keep("a", Answer("late"), 0, now_, kForever, before);
  EXPECT_EQ(KeepAbout("b", before), Kept::kNo);
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "a") << "what was asked for after it stays";
  EXPECT_EQ(core_.entries(), 1U) << "what may not be given takes no room";
}

TEST_F(LastGoodTest, LosesTheAnswerAboutWhatMeetsAChangeInItsPlace) {
  const std::uint32_t place = core_.Mark("subject").place;
  int i = 0;
  while (core_.Mark(std::to_string(i)).place != place) ++i;
  KeepAbout("a", core_.Mark("subject"));
  core_.Outdate(std::to_string(i));
  EXPECT_EQ(TextOf(core_.Find("a", now_)), "nothing");
}

TEST_F(LastGoodTest, TellsOnceThatItIsFull) {
  LastGood last({.max_age = 10s, .entries = 1}, {"route", *this});
  for (const auto* key : {"a", "b", "c"}) last.Keep(key, Answer(key), 0, now_);
  EXPECT_EQ(told_, std::vector{EventKind::kBound});
  EXPECT_EQ(last.dropped(), 2U);
}

TEST_F(LastGoodTest, TellsOfAnAnswerThatIsTooLarge) {
  LastGood last({.max_age = 10s, .memory = {kEach}}, {"route", *this});
  last.Keep("a", Answer("a"), 1, now_);
  EXPECT_EQ(told_, std::vector{EventKind::kBound});
  EXPECT_EQ(last.dropped(), 1U);
}

TEST_F(LastGoodTest, TellsAgainAfterItsBoundsHaveChanged) {
  LastGood last({.max_age = 10s, .entries = 1}, {"route", *this});
  for (const auto* key : {"a", "b"}) last.Keep(key, Answer(key), 0, now_);
  last.Apply({.max_age = 10s, .entries = 1});
  last.Keep("c", Answer("c"), 0, now_);
  EXPECT_EQ(told_.size(), 1U) << "the same bounds are no change";
  last.Apply({.max_age = 10s, .entries = 2});
  for (const auto* key : {"d", "e"}) last.Keep(key, Answer(key), 0, now_);
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(LastGoodTest, WantsACopyOfAKeyOnceASecond) {
  LastGood last({.max_age = 10s});
  EXPECT_TRUE(last.Wants("a", now_));
  last.Keep("a", Answer("a"), 0, now_);
  EXPECT_FALSE(last.Wants("a", now_ + LastGood::kRenewal - 1ns));
  EXPECT_TRUE(last.Wants("a", now_ + LastGood::kRenewal));
}

TEST_F(LastGoodTest, WantsACopyAsSoonAsTheOldOneMayNotBeGiven) {
  LastGood last({.max_age = 1h});
  last.Keep("a", Answer("a"), 0, now_, 100ms);
  EXPECT_FALSE(last.Wants("a", now_ + 100ms));
  EXPECT_TRUE(last.Wants("a", now_ + 100ms + 1ns));
}

TEST_F(LastGoodTest, WantsACopyAsSoonAsTheOldOneIsOutdated) {
  LastGood last({.max_age = 10s});
  last.Keep("a", Answer("a"), 0, now_, kForever, last.Mark("subject"));
  last.Outdate("subject");
  EXPECT_TRUE(last.Wants("a", now_));
}

TEST_F(LastGoodTest, WantsNothingWithoutAnAge) { EXPECT_FALSE(LastGood({}).Wants("a", now_)); }

}  // namespace
}  // namespace hale::policy
