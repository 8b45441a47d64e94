#include "hale/config/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "hale/config/sample_schema.h"

namespace hale::config {
namespace {

using ::testing::HasSubstr;

const Surroundings& Fake() {
  static const Surroundings fake{[](const std::string& name) -> std::optional<std::string> {
                                   if (name == "TOKEN") return "s3cret";
                                   return std::nullopt;
                                 },
                                 [](const std::string& path) -> Result<std::string> {
                                   if (path == "/run/token") return "from-file";
                                   return Fail(Code::kNotFound,
                                               "the file '" + path + "' cannot be read");
                                 }};
  return fake;
}

Parsed<Sample> Take(std::string_view text) { return Read<Sample>(text, "f", Fake()); }
std::string Complaint(std::string_view text) { return Print(Take(text).problems); }

TEST(ReaderTest, FillsEveryKindOfValue) {
  const auto parsed = Take(
      "{on: false, port: 8080, offset: -3, share: 25%, wait: 1.5s, rate: 6000/min, name: bob,\n"
      "colour: green, wheel: {size: 32B, spare: true}, numbers: [1, 2]}");
  EXPECT_EQ(Print(parsed.problems), "");
  Sample want{.on = false, .port = 8080, .offset = -3, .share = 0.25, .wait = 1500ms};
  want.rate = Rate{6000, 1min};
  want.name = "bob";
  want.colour = Colour::kGreen;
  want.wheel = {.size = Size{32}, .spare = true};
  want.numbers = {1, 2};
  EXPECT_EQ(parsed.value, want);
}

TEST(ReaderTest, WhatIsNotThereKeepsItsDefault) {
  const auto parsed = Take("{port: 81}");
  EXPECT_EQ(parsed.value, Sample{.port = 81});
}

TEST(ReaderTest, FillsListsAndMapsOfRecords) {
  const auto parsed = Take("{wheels: [{size: 1B}, {spare: true}], by_name: {a: {size: 2B}}}");
  EXPECT_EQ(parsed.value.wheels, (std::vector<Wheel>{{.size = Size{1}}, {.spare = true}}));
  EXPECT_EQ(parsed.value.by_name, (std::map<std::string, Wheel>{{"a", {.size = Size{2}}}}));
}

TEST(ReaderTest, AScalarStandsForTheFieldThatIsMeant) {
  const auto parsed = Take("{wheel: 3B, wheels: [4B]}");
  EXPECT_EQ(parsed.value.wheel.size, Size{3});
  EXPECT_EQ(parsed.value.wheels[0].size, Size{4});
}

TEST(ReaderTest, AScalarStandsForAListOfOne) {
  EXPECT_EQ(Take("{numbers: 7}").value.numbers, std::vector<int>{7});
}

TEST(ReaderTest, TheSchemaDecidesWhatAWordIs) {
  const auto parsed = Take("{name: 1.10, port: \"82\"}");
  EXPECT_EQ(parsed.value.name, "1.10");
  EXPECT_EQ(parsed.value.port, 82);
}

TEST(ReaderTest, SuggestsTheNearestKey) {
  EXPECT_EQ(Complaint("wheel:\n  spar: true\n"),
            "f:2:3 wheel.spar: unknown key, did you mean spare?\n");
}

TEST(ReaderTest, SaysWhereAKeyBelongs) {
  EXPECT_EQ(Complaint("spare: true\n"), "f:1:1 spare: unknown key here, it belongs into wheel\n");
}

TEST(ReaderTest, ListsTheKeysWhenNoneIsNear) {
  EXPECT_EQ(Complaint("{wheel: {xyzzy: 1}}"),
            "f:1:10 wheel.xyzzy: unknown key, allowed are size, spare\n");
}

TEST(ReaderTest, ReportsAllProblemsAtOnceInOrder) {
  EXPECT_EQ(Complaint("port: x\nshare: 2\nwait: 5\nwait: 6s\n"),
            "f:1:7 port: 'x' is not a whole number\n"
            "f:2:8 share: '2' is out of range, 0 to 1 is allowed\n"
            "f:3:7 wait: '5' is not a duration such as 250ms, 2s, 1.5s, 5min or 1h\n"
            "f:4:1 wait: duplicate key, the first is in line 3\n");
}

TEST(ReaderTest, BothEndsOfARangeAreAllowed) {
  EXPECT_EQ(Complaint("{port: 1}"), "");
  EXPECT_EQ(Complaint("{port: 65535}"), "");
  EXPECT_EQ(Complaint("{port: 0}"), "f:1:8 port: '0' is out of range, 1 to 65535 is allowed\n");
}

TEST(ReaderTest, TheRangeIsTheFieldsEvenBeyondTheType) {
  const char* want = "is out of range, 1 to 65535 is allowed\n";
  EXPECT_EQ(Complaint("{port: 70000}"), "f:1:8 port: '70000' " + std::string(want));
  EXPECT_EQ(Complaint("{port: -1}"), "f:1:8 port: '-1' " + std::string(want));
  EXPECT_EQ(Complaint("{port: 99999999999999999999}"),
            "f:1:8 port: '99999999999999999999' " + std::string(want));
}

TEST(ReaderTest, RatesHaveRanges) {
  EXPECT_EQ(Complaint("{rate: 1000/s}"), "");
  EXPECT_THAT(Complaint("{rate: 1001/s}"), HasSubstr("out of range, 1/h to 1000/s is allowed"));
}

TEST(ReaderTest, WholeNumbersAreWholeAndDecimal) {
  EXPECT_THAT(Complaint("{offset: 1.0}"), HasSubstr("'1.0' is not a whole number"));
  EXPECT_THAT(Complaint("{offset: 0x10}"), HasSubstr("not a whole number"));
  EXPECT_THAT(Complaint("{offset: \"\"}"), HasSubstr("not a whole number"));
}

TEST(ReaderTest, OnlyTrueAndFalseAreSwitches) {
  EXPECT_EQ(Complaint("{on: yes}"), "f:1:6 on: 'yes' is not true or false\n");
}

TEST(ReaderTest, WordsOfASetAreSuggested) {
  EXPECT_EQ(Complaint("{colour: gren}"),
            "f:1:10 colour: 'gren' is not one of red, green; did you mean green?\n");
}

TEST(ReaderTest, SaysWhatItFoundAndExpected) {
  EXPECT_EQ(Complaint("{port: [1]}"), "f:1:8 port: found a list, expected a whole number\n");
  EXPECT_EQ(Complaint("{by_name: 5}"),
            "f:1:11 by_name: found a word, expected a map from names to values\n");
  EXPECT_EQ(Complaint("[1]"),
            "f:1:1: found a list, expected a map with keys out of on, port, offset, share, wait, "
            "rate, name, colour, token, wheel, wheels, numbers, by_name, any\n");
}

TEST(ReaderTest, AnEmptyValueIsNotADefault) {
  EXPECT_EQ(Complaint("wheel:\nport: 1\n"),
            "f:1:1 wheel: is empty; leave the key out for its default, or write a map with keys "
            "out of size, spare\n");
}

TEST(ReaderTest, ASecretComesFromTheEnvironment) {
  const auto parsed = Take("token: ${env:TOKEN}");
  EXPECT_EQ(parsed.value.token.Reveal(), "s3cret");
}

TEST(ReaderTest, ASecretComesFromAFile) {
  EXPECT_EQ(Take("token: {file: /run/token}").value.token.Reveal(), "from-file");
}

TEST(ReaderTest, AnEmptySecretIsNone) {
  EXPECT_EQ(Complaint("token: \"\""), "");
  EXPECT_TRUE(Take("token: \"\"").value.token.empty());
}

TEST(ReaderTest, ASecretThatIsNotThereIsAnError) {
  EXPECT_EQ(Complaint("token: ${env:NOPE}"),
            "f:1:8 token: the environment variable 'NOPE' is not set\n");
  EXPECT_EQ(Complaint("token: {file: /nope}"), "f:1:15 token: the file '/nope' cannot be read\n");
}

TEST(ReaderTest, RealSecretFilesLoseOneLineEnd) {
  const auto path =
      std::filesystem::temp_directory_path() / ("hale_secret_" + std::to_string(::getpid()));
  std::ofstream(path) << "pass word\n";
  EXPECT_EQ(*RealSurroundings().file(path), "pass word");
  std::ofstream(path) << "\n";
  EXPECT_TRUE(RealSurroundings().file(path).error().message.ends_with("is empty"));
  std::filesystem::remove(path);
  EXPECT_TRUE(RealSurroundings().file(path).error().message.ends_with("No such file or directory"));
}

TEST(ReaderTest, ASecretInTheDocumentIsRefusedAndNotRepeated) {
  for (const char* text : {"token: hunter2", "token: [hunter2]", "token: {file: a, b: hunter2}",
                           "token: {value: hunter2}", "token: ${env:}"}) {
    EXPECT_EQ(Complaint(text).substr(6),
              "token: a secret is not written here, use ${env:NAME} or {file: path}\n")
        << text;
  }
}

TEST(ReaderTest, KeepsWhatOthersWillRead) {
  const auto parsed = Take("any: {pool: 5, tags: [a, b]}");
  EXPECT_EQ(parsed.value.any.Find("pool")->text, "5");
  EXPECT_EQ(parsed.origins.Describe("any.tags[1]"), "f:1");
  const auto wheel = ReadNode<Wheel>(ParseTree("{spare: true}", "f").root, "f");
  EXPECT_TRUE(wheel.value.spare);
}

TEST(ReaderTest, KnowsWhichValuesWereSetAndWhere) {
  const auto parsed = Take("port: 1\nwheel:\n  size: 2B\nwheels:\n  - 3B\n");
  EXPECT_EQ(parsed.origins.Describe("port"), "f:1");
  EXPECT_EQ(parsed.origins.Describe("wheel.size"), "f:3");
  EXPECT_EQ(parsed.origins.Describe("wheels[0].size"), "f:5");
  EXPECT_EQ(parsed.origins.Describe("wheel.spare"), "default");
}

TEST(ReaderTest, StaysSilentAboutWhatWasComplainedAbout) {
  EXPECT_EQ(Complaint("port: &x 5\nshare: *x\n"),
            "f:1:7 port: anchors (&name) are not allowed, write the value out\n"
            "f:2:8 share: aliases (*name) are not allowed, write the value out\n");
}

TEST(ReaderTest, ReportsTheFirstHundred) {
  std::string text;
  for (int i = 0; i < 250; ++i) text += "unknown_" + std::to_string(i) + ": 1\n";
  const auto parsed = ReadNode<Sample>(ParseTree(text, "f").root, "f");
  EXPECT_EQ(parsed.problems.size(), kMaxProblems);
  EXPECT_EQ(parsed.problems.front().at.line, 1);
  EXPECT_EQ(parsed.problems.back().at.line, 100);
}

TEST(ReaderTest, QuotesNoMoreThanTheBeginningOfALongValue) {
  EXPECT_LT(Complaint("wait: " + std::string(500'000, 'x')).size(), 200U);
  EXPECT_LT(Complaint("rate: " + std::string(500'000, '1')).size(), 200U);
}

}  // namespace
}  // namespace hale::config
