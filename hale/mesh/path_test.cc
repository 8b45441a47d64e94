#include "hale/mesh/path.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

std::string Normal(std::string_view path) {
  std::string buffer;
  return std::string(NormalizePath(path, buffer));
}

TEST(PathTest, LeavesAPlainPathWhereItIs) {
  std::string buffer;
  const std::string_view path = "/orders/7";
  EXPECT_EQ(NormalizePath(path, buffer).data(), path.data());
}

TEST(PathTest, ResolvesDotSegments) {
  EXPECT_EQ(Normal("/a/b/../c"), "/a/c");
  EXPECT_EQ(Normal("/a/./b/."), "/a/b/");
  EXPECT_EQ(Normal("/a/b/.."), "/a/");
  EXPECT_EQ(Normal("/../../etc"), "/etc");
  EXPECT_EQ(Normal("/.."), "/");
}

TEST(PathTest, SeesThroughEncodedDots) { EXPECT_EQ(Normal("/public/%2e%2E/admin"), "/admin"); }

TEST(PathTest, KeepsWhatIsReservedEncoded) {
  EXPECT_EQ(Normal("/a%2fb%3fc"), "/a%2Fb%3Fc");
  EXPECT_EQ(Normal("/%7Euser"), "/~user");
}

TEST(PathTest, KeepsBrokenEscapesAndDoubledSlashes) {
  EXPECT_EQ(Normal("/a%2"), "/a%2");
  EXPECT_EQ(Normal("/a%zz//b"), "/a%zz//b");
}

TEST(PathTest, KeepsFilesThatBeginWithADot) {
  EXPECT_EQ(Normal("/.well-known/x"), "/.well-known/x");
  EXPECT_EQ(Normal("/..a/b"), "/..a/b");
}

}  // namespace
}  // namespace hale::mesh
