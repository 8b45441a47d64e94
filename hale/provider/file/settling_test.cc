#include "hale/provider/file/settling.h"

#include <gtest/gtest.h>

namespace hale::provider::file {
namespace {

using Change = Settling::Change;

class SettlingTest : public testing::Test {
 protected:
  void Touch(Change change, Duration later = Duration::zero()) {
    now_ += later;
    settling_.Touch(change, now_);
  }

  TimePoint now_{1h};
  Settling settling_{SettlingOptions{}};
};

TEST_F(SettlingTest, ReadsNothingThatDidNotChange) { EXPECT_EQ(settling_.due(), kNever); }

TEST_F(SettlingTest, ReadsAReplacedFileOnceItIsQuiet) {
  Touch(Change::kReplaced);
  EXPECT_EQ(settling_.due(), now_ + 50ms);
  Touch(Change::kReplaced, 40ms);
  EXPECT_EQ(settling_.due(), now_ + 50ms);
}

TEST_F(SettlingTest, WaitsLongerWhileTheWriterHoldsItOpen) {
  Touch(Change::kWritten);
  EXPECT_EQ(settling_.due(), now_ + 1s);
  Touch(Change::kClosed, 300ms);
  EXPECT_EQ(settling_.due(), now_ + 50ms);
}

TEST_F(SettlingTest, WaitsForTheWriterWhateverElseIsNoticed) {
  Touch(Change::kWritten);
  Touch(Change::kNoticed, 10ms);
  EXPECT_EQ(settling_.due(), now_ + 1s);
  settling_.Read();
  Touch(Change::kNoticed);
  EXPECT_EQ(settling_.due(), now_ + 50ms);
}

TEST_F(SettlingTest, GivesAnEditorTimeToPutTheFileBack) {
  Touch(Change::kGone);
  EXPECT_EQ(settling_.due(), now_ + 1s);
  Touch(Change::kReplaced, 200ms);
  EXPECT_EQ(settling_.due(), now_ + 50ms);
}

TEST_F(SettlingTest, ReadsAFileThatNeverRests) {
  Touch(Change::kWritten);
  const TimePoint first = now_;
  for (int i = 0; i < 100; ++i) Touch(Change::kWritten, 100ms);
  EXPECT_EQ(settling_.due(), first + 5s);
}

TEST_F(SettlingTest, IsDoneWhenItWasRead) {
  Touch(Change::kReplaced);
  settling_.Read();
  EXPECT_EQ(settling_.due(), kNever);
}

TEST_F(SettlingTest, DoesNotWaitWhenHurried) {
  Touch(Change::kWritten);
  settling_.Hurry(now_);
  EXPECT_EQ(settling_.due(), now_);
  settling_.Read();
  EXPECT_EQ(settling_.due(), kNever);
}

TEST_F(SettlingTest, ReadsWhatMadeNoSenseThreeTimesMore) {
  Touch(Change::kReplaced);
  for (int i = 0; i < 3; ++i) {
    settling_.Read();
    EXPECT_TRUE(settling_.patient());
    settling_.Again(now_);
    EXPECT_EQ(settling_.due(), now_ + 200ms);
  }
  settling_.Read();
  EXPECT_FALSE(settling_.patient());
  settling_.Again(now_);
  EXPECT_EQ(settling_.due(), kNever);
}

TEST_F(SettlingTest, IsPatientAnewAfterANewChange) {
  for (int i = 0; i < 3; ++i) settling_.Again(now_);
  ASSERT_FALSE(settling_.patient());
  Touch(Change::kReplaced);
  EXPECT_TRUE(settling_.patient());
}

TEST_F(SettlingTest, IsPatientAnewAfterSomethingMadeSense) {
  for (int i = 0; i < 3; ++i) settling_.Again(now_);
  settling_.Done();
  EXPECT_TRUE(settling_.patient());
}

}  // namespace
}  // namespace hale::provider::file
