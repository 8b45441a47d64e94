#include "hale/config/text.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::config {
namespace {

using namespace std::string_literals;

TEST(TextTest, QuotesWhatWasFound) { EXPECT_EQ(Quote("a'b\n\x01"), "'a\\'b\\n\\u0001'"); }

TEST(TextTest, AQuoteIsTextWhateverWasFound) {
  EXPECT_EQ(Quote("\xC3\xA9\x85"), "'\xC3\xA9\\x85'");
}

TEST(TextTest, CutsWhatIsLongBetweenCharacters) {
  // 39 letters and then a character of two bytes, which would be cut in the middle.
  const std::string text = std::string(39, 'x') + "\xC3\xA9" + "y";
  EXPECT_EQ(Quote(text), "'" + std::string(39, 'x') + "...'");
}

TEST(TextTest, WritesJsonStrings) { EXPECT_EQ(JsonQuote("\"a\\\t\x7F"), R"("\"a\\\t\u007f")"); }

TEST(TextTest, JoinsPaths) {
  EXPECT_EQ(JoinKey("", "a"), "a");
  EXPECT_EQ(JoinKey("a.b", "c-d_1"), "a.b.c-d_1");
  EXPECT_EQ(JoinIndex("a", 12), "a[12]");
}

TEST(TextTest, APathNamesOnePlaceWhateverTheKey) {
  EXPECT_EQ(JoinKey("a", "b.c"), R"(a["b.c"])");
  EXPECT_EQ(JoinKey("", ""), R"([""])");
}

TEST(TextTest, APathIsTextHoweverLongTheKey) {
  const std::string key = std::string(127, 'x') + "\xC3\xA9";
  EXPECT_EQ(JoinKey("", key), "[\"" + std::string(127, 'x') + "\"]");
}

TEST(TextTest, TakesUtf8AsText) {
  EXPECT_FALSE(FirstNotText("tab\tline\r\n\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

TEST(TextTest, FindsTheFirstByteThatIsNotText) {
  EXPECT_EQ(FirstNotText("a\0b"s), 1U);
  EXPECT_EQ(FirstNotText("ab\x7F"), 2U);
  EXPECT_EQ(FirstNotText("\x1B[0m"), 0U);
  EXPECT_EQ(FirstNotText("a\xE9t\xE9"), 1U);  // Latin-1
}

TEST(TextTest, RefusesWhatRfc3629Forbids) {
  EXPECT_EQ(FirstNotText("\xC0\xAF"), 0U);          // overlong '/'
  EXPECT_EQ(FirstNotText("\xE0\x80\xAF"), 0U);      // overlong in three
  EXPECT_EQ(FirstNotText("\xED\xA0\x80"), 0U);      // a surrogate
  EXPECT_EQ(FirstNotText("\xF0\x80\x80\xAF"), 0U);  // overlong in four
  EXPECT_EQ(FirstNotText("\xF4\x90\x80\x80"), 0U);  // above U+10FFFF
  EXPECT_EQ(FirstNotText("\xF5\x80\x80\x80"), 0U);
}

TEST(TextTest, RefusesASequenceThatEndsEarly) {
  EXPECT_EQ(FirstNotText("a\xC3"), 1U);
  EXPECT_EQ(FirstNotText("a\xE2\x82"), 1U);
  EXPECT_EQ(FirstNotText("a\xF0\x9F\x98"), 1U);
}

TEST(TextTest, CountsLinesAndColumnsFromOne) {
  EXPECT_EQ(PositionOf("ab\ncd", 0), (Position{1, 1}));
  EXPECT_EQ(PositionOf("ab\ncd", 4), (Position{2, 2}));
}

}  // namespace
}  // namespace hale::config
