#include "app/demo_narrator.h"

#include <gtest/gtest.h>

namespace hale::app {
namespace {

using Who = DemoNarrator::Who;

TEST(DemoNarratorTest, PutsTheTimeAndWhoDidItBeforeWhatHappened) {
  EXPECT_EQ(Text({.at = 4120ms, .who = Who::kYou, .text = "killed backend b"}, false),
            "t= 4.1s  you:  killed backend b\n");
  EXPECT_EQ(Text({.at = 14s, .who = Who::kHale, .text = "left it out"}, false),
            "t=14.0s  Hale: left it out\n");
}

TEST(DemoNarratorTest, ColoursTheNameAlone) {
  EXPECT_EQ(Text({.at = 1s, .who = Who::kHale, .text = "x"}, true),
            "t= 1.0s  \x1b[32mHale:\x1b[0m x\n");
}

TEST(DemoNarratorTest, KeepsWhatItSaysAlsoWhenItIsQuiet) {
  DemoNarrator narrator({.quiet = true});
  narrator.Say(Who::kYou, "one");
  narrator.Say(Who::kHale, "two");
  ASSERT_EQ(narrator.lines().size(), 2);
  EXPECT_EQ(narrator.lines()[0].text, "one");
  EXPECT_EQ(narrator.lines()[1].who, Who::kHale);
}

}  // namespace
}  // namespace hale::app
