#include "hale/telemetry/journal.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <thread>

namespace hale::telemetry {
namespace {

class JournalTest : public testing::Test {
 protected:
  void Add(EventKind kind, std::string_view instance = "a:1") {
    Event event;
    event.at = clock_.Now();
    event.kind = kind;
    event.policy = "circuit_breaker";
    event.service = "orders";
    event.instance = instance;
    journal_.Add(event);
  }
  static void Refuse(Journal& journal, std::string_view service, std::string_view instance,
                     std::string_view detail = {}) {
    Event event;
    event.policy = "pick";
    event.service = service;
    event.instance = instance;
    event.observed = 5;
    event.detail = detail;
    journal.Add(event);
  }
  SimClock clock_;
  Journal journal_{clock_, 4};
};

TEST_F(JournalTest, IsEmptyAtFirst) {
  EXPECT_TRUE(journal_.Since(0).entries.empty());
  EXPECT_EQ(journal_.Since(0).next, 0);
}

TEST_F(JournalTest, KeepsItsOwnCopyOfWords) {
  std::string name = "b:2";
  Add(EventKind::kOpened, name);
  name = "xxx";
  EXPECT_EQ(journal_.Since(0).entries.at(0).instance, "b:2");
}

TEST_F(JournalTest, NumbersEventsFromOneOn) {
  Add(EventKind::kOpened);
  Add(EventKind::kClosed);
  const auto page = journal_.Since(0);
  ASSERT_EQ(page.entries.size(), 2);
  EXPECT_EQ(page.entries[0].sequence, 1);
  EXPECT_EQ(page.entries[1].sequence, 2);
  EXPECT_EQ(page.next, 2);
}

TEST_F(JournalTest, ReadsOnlyWhatIsNew) {
  Add(EventKind::kOpened);
  const auto first = journal_.Since(0);
  EXPECT_TRUE(journal_.Since(first.next).entries.empty());
  Add(EventKind::kClosed);
  EXPECT_EQ(journal_.Since(first.next).entries.at(0).kind, EventKind::kClosed);
}

TEST_F(JournalTest, ALimitLeavesTheRestForTheNextReading) {
  for (int i = 0; i < 3; ++i) Add(EventKind::kOpened);
  const auto page = journal_.Since(0, 2);
  EXPECT_EQ(page.entries.size(), 2);
  EXPECT_EQ(journal_.Since(page.next, 2).entries.at(0).sequence, 3);
}

TEST_F(JournalTest, TheOldestIsOverwrittenAndItIsSaid) {
  for (int i = 0; i < 6; ++i) Add(EventKind::kOpened);
  const auto page = journal_.Since(1);
  EXPECT_EQ(page.entries.front().sequence, 3);
  EXPECT_EQ(page.lost, 1);
  EXPECT_EQ(journal_.overwritten(), 2);
}

TEST_F(JournalTest, ANumberOfAnEarlierProcessBeginsAnew) {
  Add(EventKind::kOpened);
  EXPECT_EQ(journal_.Since(700).entries.size(), 1);
}

TEST_F(JournalTest, AFloodTakesTwoEntriesASecond) {
  for (int i = 0; i < 1000; ++i) Add(EventKind::kRefused);
  clock_.Advance(1s);
  const auto page = journal_.Since(0);
  ASSERT_EQ(page.entries.size(), 2);
  EXPECT_EQ(page.entries[0].count, 1);
  EXPECT_EQ(page.entries[1].count, 999);
}

TEST_F(JournalTest, CountsAreConservedOverManySeconds) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 5000; ++i) {
    Event event;
    event.kind = i % 3 == 0 ? EventKind::kRetried : EventKind::kRefused;
    event.instance = i % 2 == 0 ? "a" : "b";
    journal.Add(event);
    clock_.Advance(1ms);
  }
  clock_.Advance(1s);
  std::uint64_t sum = 0;
  for (const auto& entry : journal.Since(0, 4096).entries) sum += entry.count;
  EXPECT_EQ(sum, 5000);
}

TEST_F(JournalTest, WhatIsUnlikeIsNotFolded) {
  Add(EventKind::kRefused, "a:1");
  Add(EventKind::kRefused, "b:1");
  Add(EventKind::kRetried, "a:1");
  EXPECT_EQ(journal_.Since(0).entries.size(), 3);
}

TEST_F(JournalTest, KindsBeyondTheTableAreFoldedByWhatWasDecided) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 200 * 100; ++i) {
    const std::string instance = std::to_string(i % 200);
    Refuse(journal, "orders", instance);
  }
  clock_.Advance(1s);
  const auto entries = journal.Since(0).entries;
  ASSERT_EQ(entries.size(), 64U + 1 + 64 + 1);  // at once, and what came after
  EXPECT_EQ(entries[64].instance, "64");
  EXPECT_EQ(entries.back().count, 136U * 100 - 1);
  EXPECT_EQ(entries.back().service, "orders");
  EXPECT_EQ(entries.back().instance, "");
}

TEST_F(JournalTest, WhatFoldedKindsDoNotHaveInCommonIsNotSaid) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 70; ++i) {
    const std::string name = std::to_string(i);
    Refuse(journal, name, "a:1", name);
  }
  clock_.Advance(1s);
  const JournalEntry last = journal.Since(0).entries.back();
  EXPECT_EQ(last.count, 5U);
  EXPECT_EQ(last.service, "");
  EXPECT_EQ(last.detail, "");
  EXPECT_EQ(last.observed, 0);
  EXPECT_EQ(last.instance, "a:1");
}

TEST_F(JournalTest, FiguresThatWereNobodysDoNotComeBackWithAnEmptyWord) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 67; ++i) Refuse(journal, std::to_string(i), "a:1");
  Refuse(journal, "", "a:1");
  clock_.Advance(1s);
  const JournalEntry last = journal.Since(0).entries.back();
  EXPECT_EQ(last.count, 3U);
  EXPECT_EQ(last.service, "");
  EXPECT_EQ(last.observed, 0);
}

TEST_F(JournalTest, AFoldAfterOneOfUnlikeKindsHasItsFiguresAgain) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 67; ++i) Refuse(journal, std::to_string(i), "a:1");
  clock_.Advance(1s);
  for (int i = 0; i < 64; ++i) Refuse(journal, std::to_string(i), "a:1");
  for (int i = 0; i < 3; ++i) Refuse(journal, "orders", "a:1");
  clock_.Advance(1s);
  const JournalEntry last = journal.Since(0).entries.back();
  EXPECT_EQ(last.count, 2U);
  EXPECT_EQ(last.observed, 5);
}

TEST_F(JournalTest, WhatADetailTellsApartIsNotFolded) {
  for (const char* which : {"first limit", "second limit"}) Refuse(journal_, "a", "", which);
  EXPECT_EQ(journal_.Since(0).entries.size(), 2);
}

TEST_F(JournalTest, AsManyKindsAsTheTableHoldsTakeTwoEntriesASecondEach) {
  Journal journal(clock_, 4096);
  for (int i = 0; i < 64 * 100; ++i) {
    const std::string instance = std::to_string(i % 64);
    Event event;
    event.instance = instance;
    journal.Add(event);
  }
  EXPECT_EQ(journal.Since(0, 4096).entries.size(), 64);
  clock_.Advance(1s);
  EXPECT_EQ(journal.Since(0, 4096).entries.size(), 128);
}

TEST_F(JournalTest, AKindWithoutAPlaceIsFoldedByItselfWhenOneIsFree) {
  Journal journal(clock_, 4096);
  const auto add = [&](int kind) {
    const std::string instance = std::to_string(kind);
    Event event;
    event.instance = instance;
    journal.Add(event);
  };
  for (int kind = 0; kind < 64; ++kind, clock_.Advance(1ms)) add(kind);
  for (int times = 0; times < 3; ++times) add(64);
  EXPECT_EQ(journal.last(), 65);
  add(0);  // has its place still
  EXPECT_EQ(journal.last(), 65);
  clock_.Advance(1s - 64ms);  // the first one's second is over
  for (int times = 0; times < 3; ++times) add(64);
  EXPECT_EQ(journal.Since(0).entries.back().instance, "64");
  EXPECT_EQ(journal.last(), 67);  // what waited of the first, and one for the three
}

TEST_F(JournalTest, ChangesOfStateAreNeverFolded) {
  for (int i = 0; i < 3; ++i) Add(EventKind::kOpened);
  EXPECT_EQ(journal_.Since(0).entries.size(), 3);
}

TEST_F(JournalTest, AFoldIsEnteredBeforeTheChangeThatFollowsIt) {
  Add(EventKind::kRefused);
  Add(EventKind::kRefused);
  clock_.Advance(1s);
  Add(EventKind::kClosed);
  const auto page = journal_.Since(0);
  ASSERT_EQ(page.entries.size(), 3);
  EXPECT_EQ(page.entries[1].kind, EventKind::kRefused);
  EXPECT_EQ(page.entries[2].kind, EventKind::kClosed);
}

TEST_F(JournalTest, AnEntryIsJsonWithASentence) {
  Add(EventKind::kOpened, "b\"\xFF");
  const auto json = boost::json::parse(JournalJson(journal_.Since(0).entries.at(0))).as_object();
  EXPECT_EQ(json.at("kind"), "opened");
  EXPECT_EQ(json.at("instance"), "b\"\uFFFD");
  EXPECT_EQ(json.at("sequence").to_number<int>(), 1);
  EXPECT_EQ(json.at("text"), "circuit of orders b\"\uFFFD opened");
}

class JournalStressTest : public testing::Test {
 protected:
  void Write(int first) {
    for (int i = first; i < first + 5000; ++i) {
      Event event;
      event.kind = i % 2 == 0 ? EventKind::kOpened : EventKind::kEjected;
      event.observed = event.threshold = i;
      journal_.Add(event);
    }
  }
  void Read() {
    for (const auto& entry : journal_.Since(next_, 500).entries) {
      EXPECT_EQ(entry.sequence, ++next_);
      EXPECT_EQ(entry.observed, entry.threshold);
    }
  }
  Journal journal_{RealClock(), 100'000};
  std::uint64_t next_ = 0;
};

TEST_F(JournalStressTest, AReaderSeesEveryEntryOnceAndWhole) {
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([this, thread] { Write(thread * 10'000); });
    }
    for (int i = 0; i < 50; ++i) Read();
  }
  while (next_ < journal_.last()) Read();
  EXPECT_EQ(next_, 20'000);
}

}  // namespace
}  // namespace hale::telemetry
