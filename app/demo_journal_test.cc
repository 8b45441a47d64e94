#include "app/demo_journal.h"

#include <gmock/gmock.h>

namespace hale::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Entry(const std::string& kind, const std::string& text, int count = 1) {
  return R"({"kind":")" + kind + R"(","reason":"stalled","instance":"127.0.0.1:91","count":)" +
         std::to_string(count) + R"(,"text":")" + text + R"("})";
}

std::string Page(const std::string& entries) {
  return R"({"entries":[)" + entries + R"(],"next":7,"lost":0})";
}

class DemoJournalTest : public testing::Test {
 protected:
  DemoJournal journal_{{{"127.0.0.1:91", "backend a"}, {"127.0.0.1:912", "backend b"}}};
};

TEST_F(DemoJournalTest, CallsInstancesByTheirNames) {
  EXPECT_THAT(journal_.Read(Page(Entry("ejected", "shop 127.0.0.1:91 left out"))),
              ElementsAre("backend a left out"));
}

TEST_F(DemoJournalTest, DoesNotTakeAPortForTheBeginningOfAnother) {
  EXPECT_THAT(journal_.Read(Page(Entry("ejected", "127.0.0.1:912 left out"))),
              ElementsAre("backend b left out"));
}

TEST_F(DemoJournalTest, TellsWhatIsAlikeOnceAPhase) {
  const std::string page = Page(Entry("ejected", "first") + "," + Entry("ejected", "second"));
  EXPECT_THAT(journal_.Read(page), ElementsAre("first"));
  EXPECT_THAT(journal_.Read(page), IsEmpty());
  journal_.Forget();
  EXPECT_THAT(journal_.Read(page), ElementsAre("first"));
}

TEST_F(DemoJournalTest, TellsOfRefusalsOnceOnly) {
  const std::string page = Page(Entry("refused", "refused by the limit"));
  journal_.Read(page);
  journal_.Forget();
  EXPECT_THAT(journal_.Read(page), IsEmpty());
}

TEST_F(DemoJournalTest, CountsSecondChancesThatWereEnteredTogether) {
  journal_.Read(Page(Entry("raced", "x", 3) + "," + Entry("retried", "y", 4)));
  journal_.Read(Page(Entry("refused", "z", 9)));
  EXPECT_EQ(journal_.second_chances(), 7);
}

TEST_F(DemoJournalTest, GoesOnAfterTheLastPageAndIgnoresWhatIsNone) {
  journal_.Read(Page(""));
  EXPECT_EQ(journal_.next(), 7);
  EXPECT_THAT(journal_.Read("no journal"), IsEmpty());
  EXPECT_EQ(journal_.next(), 7);
}

}  // namespace
}  // namespace hale::app
