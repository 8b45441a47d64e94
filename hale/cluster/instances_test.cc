#include "hale/cluster/instances.h"

#include <gtest/gtest.h>

namespace hale::cluster {
namespace {

Instance At(std::string address, double weight = 1) {
  return {.address = std::move(address), .weight = weight};
}

TEST(InstancesTest, AreEqualWhateverOrderTheyCameIn) {
  EXPECT_EQ(Instances({At("b:1"), At("a:1"), At("c:1")}),
            Instances({At("c:1"), At("b:1"), At("a:1")}));
}

TEST(InstancesTest, HoldEachAddressOnceWhicheverCameFirst) {
  const Instances one({At("a:1", 0), At("a:1", 5), At("b:1")});
  const Instances other({At("a:1", 5), At("b:1"), At("a:1", 0)});
  EXPECT_EQ(one.size(), 2U);
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.Find("a:1")->weight, 5);
}

TEST(InstancesTest, FindOnlyWhatIsThere) {
  const Instances set({At("a:1"), At("c:1")});
  EXPECT_EQ(set.Find("c:1")->address, "c:1");
  for (const char* absent : {"", "a:0", "b:1", "d:1"}) EXPECT_EQ(set.Find(absent), nullptr);
}

TEST(DiffTest, NamesWhatCameWentAndChanged) {
  const Instances before({At("a:1"), At("b:1"), At("d:1")});
  const Instances after({At("b:1", 2), At("c:1"), At("d:1"), At("e:1")});
  const InstancesDiff diff = Diff(before, after);
  ASSERT_EQ(diff.removed.size(), 1U);
  EXPECT_EQ(diff.removed[0]->address, "a:1");
  ASSERT_EQ(diff.added.size(), 2U);
  EXPECT_EQ(diff.added[0]->address, "c:1");
  EXPECT_EQ(diff.added[1]->address, "e:1");
  ASSERT_EQ(diff.changed.size(), 1U);
  EXPECT_EQ(diff.changed[0]->weight, 2);
}

TEST(DiffTest, FromAndToNothing) {
  const Instances some({At("a:1"), At("b:1")});
  EXPECT_EQ(Diff(Instances(), some).added.size(), 2U);
  EXPECT_EQ(Diff(some, Instances()).removed.size(), 2U);
  EXPECT_TRUE(Diff(some, some).empty());
}

TEST(DiffTest, SeesAChangeOfZoneAndMetadata) {
  const Instances before({At("a:1")});
  EXPECT_EQ(Diff(before, Instances({{.address = "a:1", .zone = "x"}})).changed.size(), 1U);
  EXPECT_EQ(Diff(before, Instances({{.address = "a:1", .metadata = {{"k", "v"}}}})).changed.size(),
            1U);
}

TEST(MergeTest, KeepsTheBaseAndTakesWhatIsSaidOver) {
  const Instances merged =
      Merge(Instances({At("a:1"), At("b:1")}), Instances({At("b:1", 3), At("c:1")}));
  EXPECT_EQ(merged, Instances({At("a:1"), At("b:1", 3), At("c:1")}));
}

}  // namespace
}  // namespace hale::cluster
