#include "hale/policy/priority.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

TEST(PriorityTest, ReadsWhatItWrites) {
  for (const auto& name : Names(Type<Priority>{})) {
    EXPECT_EQ(PriorityFromWord(Word(name.value)), name.value);
  }
  EXPECT_EQ(Names(Type<Priority>{}).size(), kPriorities);
}

TEST(PriorityTest, TakesAWordThatIsNotKnownForTheLowest) {
  for (const auto* word : {"", "CRITICAL", "critical ", "critical_plus_plus", "0", "high"}) {
    EXPECT_EQ(PriorityFromWord(word), Priority::kSheddable) << word;
  }
}

}  // namespace
}  // namespace hale::policy
