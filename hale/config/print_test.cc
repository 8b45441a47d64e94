#include "hale/config/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hale/config/reader.h"
#include "hale/config/sample_schema.h"

namespace hale::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Sample Full() {
  Sample sample{.on = false, .port = 8080, .offset = -3, .share = 0.25, .wait = 1500ms};
  sample.name = "a\"b\xC3\xA9";
  sample.colour = Colour::kGreen;
  sample.wheels = {{.size = Size{1000}}, {.spare = true}};
  sample.numbers = {1, -2};
  sample.by_name["x.y"] = {.size = Size{2}};
  sample.any = ParseTree("{b: true, n: 1.5, t: \"5\", l: [a, null], z: 007}", "f").root;
  return sample;
}

TEST(PrintTest, DumpsEveryValueAsJson) {
  EXPECT_EQ(Dump(Wheel{.size = Size{32}, .spare = true}), R"({"size":"32B","spare":true})");
  EXPECT_THAT(Dump(Full()), HasSubstr(R"("share":0.25,"wait":"1500ms","rate":"100/s")"));
  EXPECT_THAT(Dump(Full()), HasSubstr(R"("numbers":[1,-2],"by_name":{"x.y":{"size":"2B")"));
}

TEST(PrintTest, WhatOthersWillReadKeepsItsTypes) {
  EXPECT_THAT(Dump(Full()),
              HasSubstr(R"("any":{"b":true,"n":1.5,"t":"5","l":["a",null],"z":"007"})"));
}

TEST(PrintTest, AJsonNumberIsWhatRfc8259Allows) {
  for (const char* word : {"01", "1.", ".5", "-", "1e5x", "+1", "0x1", "nan", "--1"}) {
    const Node node = ParseTree("[" + std::string(word) + "]", "f").root;
    EXPECT_EQ(Dump(node), "[\"" + std::string(word) + "\"]");
  }
  EXPECT_EQ(Dump(ParseTree("[0, -0.5, 10]", "f").root), "[0,-0.5,10]");
}

TEST(PrintTest, ReadsBackWhatItDumps) {
  const auto parsed = Read<Sample>(Dump(Full()), "f");
  EXPECT_EQ(Print(parsed.problems), "");
  EXPECT_EQ(parsed.value, Full());
}

TEST(PrintTest, ShowsNoSecret) {
  Sample sample;
  sample.token = Secret<std::string>("hunter2");
  EXPECT_THAT(Dump(sample), HasSubstr(R"("token":"***")"));
  EXPECT_THAT(Dump(sample), Not(HasSubstr("hunter2")));
}

TEST(PrintTest, SaysWhereEachValueIsFrom) {
  const auto parsed = Read<Sample>("port: 1\nwheels: [{spare: true}]\n", "hale.yaml");
  const std::string text = DumpWithOrigins(parsed.value, parsed.origins);
  EXPECT_THAT(text, HasSubstr(R"("port":{"value":1,"origin":"hale.yaml:1"})"));
  EXPECT_THAT(text, HasSubstr(R"("on":{"value":true,"origin":"default"})"));
  EXPECT_THAT(text, HasSubstr(R"({"size":{"value":"16B","origin":"default"},)"
                              R"("spare":{"value":true,"origin":"hale.yaml:2"}})"));
}

TEST(PrintTest, EqualValuesDoNotDiffer) { EXPECT_TRUE(Diff(Full(), Full()).empty()); }

TEST(PrintTest, DiffersByPathWithOldAndNew) {
  Sample after = Full();
  after.port = 81;
  after.wheels.pop_back();
  after.by_name["z"] = {};
  EXPECT_THAT(
      Diff(Full(), after),
      ElementsAre(Change{"by_name.z.size", "", "\"16B\""}, Change{"by_name.z.spare", "", "false"},
                  Change{"port", "8080", "81"}, Change{"wheels[1].size", "\"16B\"", ""},
                  Change{"wheels[1].spare", "true", ""}));
}

TEST(PrintTest, TellsThatASecretChangedButNotWhat) {
  Sample before;
  before.token = Secret<std::string>("hunter2");
  Sample after;
  after.token = Secret<std::string>("hunter3");
  EXPECT_THAT(Diff(before, after), ElementsAre(Change{"token", "\"***\"", "\"***\""}));
}

TEST(PrintTest, WritesTheReference) {
  EXPECT_EQ(Reference<Wheel>(),
            "| key | what it is | default | allowed |\n|---|---|---|---|\n"
            "| `size` | of the wheel | `\"16B\"` | 1B to 1KiB |\n"
            "| `spare` | not in use | `false` | true or false |\n");
}

TEST(PrintTest, TheReferenceGoesIntoListsAndMaps) {
  const std::string reference = Reference<Sample>();
  EXPECT_THAT(reference, HasSubstr("| `wheels[].size` |"));
  EXPECT_THAT(reference, HasSubstr("| `by_name.<name>.spare` |"));
  EXPECT_THAT(reference, HasSubstr("| `wheel` | one |  | a map, or its `size` alone |"));
}

}  // namespace
}  // namespace hale::config
