#include "hale/provider/file/instance_list.h"

#include <gtest/gtest.h>

namespace hale::provider::file {
namespace {

TEST(InstanceListTest, ReadsBothFormsOfAnInstance) {
  const auto list = ParseInstanceList(
      "- 10.0.0.1:80\n"
      "- {address: \"[::1]:81\", zone: a, weight: 2.5, metadata: {version: 3}}\n",
      "list.yaml");
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->instances.size(), 2U);
  EXPECT_EQ(list->instances[0].address, "10.0.0.1:80");
  EXPECT_EQ(list->instances[1].address, "[::1]:81");
  EXPECT_EQ(list->instances[1].zone, "a");
  EXPECT_EQ(list->instances[1].weight, 2.5);
  EXPECT_EQ(list->instances[1].metadata.at("version"), "3");
}

TEST(InstanceListTest, ReadsJson) {
  const auto list = ParseInstanceList(R"(["a:1", {"address": "b:2", "weight": 0}])", "list.json");
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->instances.size(), 2U);
  EXPECT_EQ(list->instances[1].weight, 0);
}

TEST(InstanceListTest, LeavesOutAWrongItemAndSaysWhere) {
  const auto list = ParseInstanceList(
      "- a:1\n- {address: b:1, weigth: 2}\n- {weight: 1}\n- {address: c:1, weight: 2000}\n- d:1\n",
      "list.yaml");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->instances.size(), 2U);
  ASSERT_EQ(list->malformed.size(), 3U);
  EXPECT_NE(list->malformed[0].find("list.yaml:2:"), std::string::npos) << list->malformed[0];
  EXPECT_NE(list->malformed[0].find("weigth"), std::string::npos);
  EXPECT_NE(list->malformed[1].find("list.yaml:3: "), std::string::npos) << list->malformed[1];
  EXPECT_NE(list->malformed[2].find("list.yaml:4:"), std::string::npos);
}

TEST(InstanceListTest, AnEmptyListIsOneThatSaysSo) {
  EXPECT_TRUE(ParseInstanceList("[]", "f"));
  for (const char* none : {"", "\n", "# nothing\n", "null", "---\n"}) {
    EXPECT_FALSE(ParseInstanceList(none, "f")) << none;
  }
}

TEST(InstanceListTest, RefusesWhatIsNoList) {
  for (const char* bad : {"{a: 1}", "just words", "[a:1", "- a:1\n  b: [", "\x01\x02", "- &x a:1",
                          "- nonsense", "- a:1:2\n- b:0"}) {
    const auto list = ParseInstanceList(bad, "f");
    ASSERT_FALSE(list) << bad;
    EXPECT_EQ(list.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(list.error().message.starts_with("f:")) << list.error().message;
  }
}

}  // namespace
}  // namespace hale::provider::file
