#include "app/load_options.h"

#include <gtest/gtest.h>

namespace hale::app {
namespace {

using Texts = std::vector<std::string>;

TEST(LoadOptionsTest, GivesAnAlternativeWithoutAShareTheRest) {
  const auto portions = ParsePortions(Texts{"POST=10%", "GET"});
  ASSERT_TRUE(portions);
  EXPECT_EQ(portions->at(0), (Portion{.what = "POST", .share = 0.1}));
  EXPECT_EQ(portions->at(1).what, "GET");
  EXPECT_DOUBLE_EQ(portions->at(1).share, 0.9);
}

TEST(LoadOptionsTest, TakesAnEqualsSignInAQueryForWhatItIs) {
  const auto portions = ParsePortions(Texts{"/search?q=a=b", "/big?size=1=5%"});
  ASSERT_TRUE(portions);
  EXPECT_EQ(portions->at(0).what, "/search?q=a=b");
  EXPECT_EQ(portions->at(1), (Portion{.what = "/big?size=1", .share = 0.05}));
}

TEST(LoadOptionsTest, RefusesSharesThatDoNotAddUp) {
  EXPECT_FALSE(ParsePortions(Texts{"GET=60%", "POST=60%"}));
  EXPECT_FALSE(ParsePortions(Texts{"GET=60%", "POST=30%"}));
  EXPECT_FALSE(ParsePortions(Texts{"GET=-1%", "POST"}));
  EXPECT_FALSE(ParsePortions(Texts{"GET=x%", "POST"}));
}

TEST(LoadOptionsTest, TakesATargetApart) {
  const auto target = ParseTarget("http://127.0.0.1:8080/orders?x=1");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "127.0.0.1:8080");
  EXPECT_EQ(target->path, "/orders?x=1");
}

TEST(LoadOptionsTest, FillsInSchemePortAndPath) {
  const auto target = ParseTarget("localhost");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "localhost:80");
  EXPECT_EQ(target->path, "/");
}

TEST(LoadOptionsTest, RefusesATargetThatItCannotReach) {
  EXPECT_FALSE(ParseTarget("https://localhost/"));
  EXPECT_FALSE(ParseTarget("http:///orders"));
}

TEST(LoadOptionsTest, ChoosesByCumulatedShares) {
  const std::vector<Portion> portions{
      {.what = "a", .share = 0.1}, {.what = "b", .share = 0.2}, {.what = "c", .share = 0.7}};
  EXPECT_EQ(Choose(portions, 0.0), 0U);
  EXPECT_EQ(Choose(portions, 0.15), 1U);
  EXPECT_EQ(Choose(portions, 0.31), 2U);
  EXPECT_EQ(Choose(portions, 0.9999999999999999), 2U);
}

}  // namespace
}  // namespace hale::app
