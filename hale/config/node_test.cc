#include "hale/config/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hale/config/source.h"

namespace hale::config {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

std::string Complaint(std::string_view text) {
  const Tree tree = ParseTree(text, "f");
  return Print(tree.problems);
}

TEST(NodeTest, ReadsMapsListsAndScalars) {
  const Tree tree = ParseTree("a: [x, \"5\"]\nb: {c: 1}\n", "f");
  EXPECT_TRUE(tree.problems.empty());
  const Node* a = tree.root.Find("a");
  ASSERT_EQ(a->children.size(), 2U);
  EXPECT_EQ(a->children[0].text, "x");
  EXPECT_TRUE(a->children[1].quoted);
  EXPECT_EQ(tree.root.Find("b")->Find("c")->text, "1");
}

TEST(NodeTest, ReadsJson) {
  const Tree tree = ParseTree("{\"a\": [true, 2], \"b\": {\"c\": \"x\\u00e9\"}}", "f");
  EXPECT_TRUE(tree.problems.empty());
  EXPECT_EQ(tree.root.Find("b")->Find("c")->text, "x\xC3\xA9");
}

TEST(NodeTest, KnowsWhereEverythingIs) {
  const Tree tree = ParseTree("a: 1\nlonger:\n  - x\n  - key: y\n", "f");
  const Node* longer = tree.root.Find("longer");
  EXPECT_EQ(longer->key_at, (Position{2, 1}));
  EXPECT_EQ(longer->children[0].at, (Position{3, 5}));
  EXPECT_EQ(longer->children[1].children[0].key_at, (Position{4, 5}));
  EXPECT_EQ(longer->children[1].children[0].at, (Position{4, 10}));
}

TEST(NodeTest, AnEmptyDocumentIsSaidToBeEmpty) {
  EXPECT_EQ(Complaint(""), "f:1:1: the document is empty\n");
  EXPECT_EQ(Complaint("# only a comment\n"), "f:1:1: the document is empty\n");
  EXPECT_EQ(Complaint("---\n"), "f:1:1: the document is empty\n");
}

TEST(NodeTest, WhatIsNotTextIsRefusedWithItsPlace) {
  EXPECT_EQ(Complaint("a: 1\nb: \0"s),
            "f:2:4: this is not text: byte 0x00, UTF-8 without control characters is allowed\n");
  EXPECT_THAT(Complaint("a: \xE9"), HasSubstr("f:1:4: this is not text: byte 0xe9"));
}

TEST(NodeTest, AByteOrderMarkIsNotPartOfTheText) {
  EXPECT_EQ(ParseTree("\xEF\xBB\xBF"
                      "a: 1",
                      "f")
                .root.Find("a")
                ->text,
            "1");
}

TEST(NodeTest, RefusesMoreThanTheLargestDocument) {
  const std::string text(kMaxDocument + 1, '#');
  EXPECT_EQ(Complaint(text), "f: larger than 1MiB, the most that is read\n");
  EXPECT_EQ(Complaint(text.substr(1)), "f:1:1: the document is empty\n");
}

TEST(NodeTest, RefusesDuplicateKeysAndNamesTheFirst) {
  EXPECT_EQ(Complaint("a:\n  b: 1\n  c: 2\n  b: 3\n"),
            "f:4:3 a.b: duplicate key, the first is in line 2\n");
}

TEST(NodeTest, TheFirstOfDuplicateKeysCounts) {
  EXPECT_EQ(ParseTree("a: 1\na: 2\n", "f").root.Find("a")->text, "1");
}

TEST(NodeTest, RefusesAnchorsAndAliases) {
  EXPECT_EQ(Complaint("a: &x 1\nb: *x\n"),
            "f:1:4 a: anchors (&name) are not allowed, write the value out\n"
            "f:2:4 b: aliases (*name) are not allowed, write the value out\n");
}

TEST(NodeTest, AnAliasBombStaysSmall) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
            "]\n";
  }
  EXPECT_THAT(Complaint(bomb), HasSubstr("anchors (&name) are not allowed"));
}

TEST(NodeTest, RefusesTags) {
  EXPECT_EQ(Complaint("a: !!int 5\n"),
            "f:1:4 a: tags are not allowed, found 'tag:yaml.org,2002:int'\n");
}

TEST(NodeTest, RefusesKeysThatAreNotWords) {
  EXPECT_THAT(Complaint("? [a]\n: 1\n"), HasSubstr("f:1:3: a key must be a word"));
  EXPECT_THAT(Complaint("~: 1\n"), HasSubstr("a key must be a word"));
}

TEST(NodeTest, RefusesASecondDocument) {
  EXPECT_THAT(Complaint("a: 1\n---\nb: 2\n"),
              HasSubstr("a second document begins here, one is allowed"));
}

TEST(NodeTest, TakesTheLastDepthThatIsAllowed) {
  EXPECT_EQ(Complaint(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')), "");
}

TEST(NodeTest, RefusesOneLevelMore) {
  const std::string deep = std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']');
  EXPECT_THAT(Complaint(deep), HasSubstr("nested deeper than 64 levels"));
}

TEST(NodeTest, SaysWhatIsNotClosed) {
  EXPECT_THAT(Complaint("a: {b: [1, 2\n"), HasSubstr("a '[' is not closed"));
  EXPECT_THAT(Complaint("a: {b: 1\n"), HasSubstr("a '{' is not closed"));
  EXPECT_THAT(Complaint("a: \"b\n"), HasSubstr("a quote is not closed"));
}

TEST(NodeTest, RefusesControlCharactersThatAreEscaped) {
  EXPECT_EQ(Complaint("a: \"x\\0y\"\n"), "f:1:4 a: holds a control character: 'x\\u0000y'\n");
  EXPECT_EQ(Complaint("{\"a\": \"\\u001b\"}"), "f:1:7 a: holds a control character: '\\u001b'\n");
  EXPECT_EQ(Complaint("a: \"x\\ny\\tz\"\n"), "");
}

TEST(NodeTest, AComplaintIsText) {
  // The scanner names one byte out of the middle of a character.
  EXPECT_THAT(Complaint("a: \"\\\xC3\xA9\"\n"), HasSubstr("unknown escape character: \n"));
}

TEST(NodeTest, WhatIsMissingAtTheEndIsMissingAtTheEnd) {
  EXPECT_THAT(Complaint("a: [1\n"), HasSubstr("f:2:1 a[1]: not YAML"));
  EXPECT_THAT(Complaint("a: \"b"), HasSubstr("f:1:6 a: not YAML"));
}

TEST(NodeTest, SaysThatTabsDoNotIndent) {
  EXPECT_THAT(Complaint("a:\n\tb: 1\n"), HasSubstr("indent with spaces, not tabs"));
}

TEST(NodeTest, SaysThatAColonWantsQuotes) {
  EXPECT_THAT(Complaint("a: b: c\n"), HasSubstr("f:1:5"));
  EXPECT_THAT(Complaint("a: b: c\n"), HasSubstr("quote a value that contains ': '"));
}

TEST(NodeTest, ReportsAtMostSoManyProblems) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "a: 1\n";
  EXPECT_EQ(ParseTree(text, "f").problems.size(), kMaxProblems);
}

}  // namespace
}  // namespace hale::config
