#include <gtest/gtest.h>

#include <string>

#include "hale/host/lint.h"

namespace hale::host {
namespace {

bool Shadows(const std::string& first, const std::string& second) {
  const auto parsed = ParseDocument(
      "services: {a: {instances: [\"h:1\"]}}\nroutes:\n- {service: a, match: " + first +
          "}\n- {service: a, match: " + second + "}\n",
      "f");
  EXPECT_TRUE(parsed.ok()) << Print(parsed.problems);
  return !parsed.problems.empty();
}

TEST(LintShadowTest, SaysWhichRouteComesFirst) {
  EXPECT_EQ(Print(ParseDocument("services: {a: {instances: [\"h:1\"]}}\n"
                                "routes:\n- {service: a}\n- {service: a, match: /x}\n",
                                "f")
                      .problems),
            "f:4:16 routes[1].match: warning: never reached: routes[0] (line 3) comes first and "
            "takes all of its requests\n");
}

TEST(LintShadowTest, APrefixTakesAllBelow) {
  EXPECT_TRUE(Shadows("/a/", "/a/b"));
  EXPECT_TRUE(Shadows("/a/", "/a/b/"));
  EXPECT_TRUE(Shadows("/a/", "/a"));
  EXPECT_FALSE(Shadows("/a/", "/ab"));
  EXPECT_FALSE(Shadows("/a/b", "/a/"));
  EXPECT_FALSE(Shadows("/a", "/a/"));
}

TEST(LintShadowTest, AnExactPathTakesOnlyItself) {
  EXPECT_TRUE(Shadows("/a", "/a"));
  EXPECT_FALSE(Shadows("/a", "/a/b"));
}

TEST(LintShadowTest, HostsCoverTheirNames) {
  EXPECT_TRUE(Shadows("/", "{host: x.org}"));
  EXPECT_TRUE(Shadows("{host: X.org}", "{host: x.ORG}"));
  EXPECT_TRUE(Shadows("{host: \"*.x.org\"}", "{host: a.x.org}"));
  EXPECT_TRUE(Shadows("{host: \"*.x.org\"}", "{host: \"*.a.x.org\"}"));
  EXPECT_FALSE(Shadows("{host: \"*.x.org\"}", "{host: x.org}"));
  EXPECT_FALSE(Shadows("{host: \"*.x.org\"}", "{host: ax.org}"));
  EXPECT_FALSE(Shadows("{host: x.org}", "/"));
}

TEST(LintShadowTest, MethodsCoverASubset) {
  EXPECT_TRUE(Shadows("{method: [GET, PUT]}", "{method: PUT}"));
  EXPECT_TRUE(Shadows("/", "{method: PUT}"));
  EXPECT_FALSE(Shadows("{method: GET}", "{method: [GET, PUT]}"));
  EXPECT_FALSE(Shadows("{method: GET}", "/"));
}

TEST(LintShadowTest, HeadersNarrow) {
  EXPECT_TRUE(Shadows("{header: {x-a: \"1\"}}", "{header: {X-A: \"1\", x-b: \"2\"}}"));
  EXPECT_TRUE(Shadows("{header: {x-a: \"*\"}}", "{header: {x-a: \"1\"}}"));
  EXPECT_FALSE(Shadows("{header: {x-a: \"1\"}}", "{header: {x-a: \"2\"}}"));
  EXPECT_FALSE(Shadows("{header: {x-a: \"1\"}}", "{header: {x-a: \"*\"}}"));
  EXPECT_FALSE(Shadows("{header: {x-a: \"1\"}}", "/"));
}

}  // namespace
}  // namespace hale::host
