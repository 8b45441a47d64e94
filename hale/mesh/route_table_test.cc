#include "hale/mesh/route_table.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

net::RequestHead Get(std::string_view path, std::string_view host = "shop.example") {
  net::RequestHead request;
  request.target = path;
  request.fields.Append("Host", host);
  return request;
}

bool Takes(const MatchOptions& match, const net::RequestHead& request) {
  return Matches(match, request, request.path());
}

TEST(RouteTableTest, APrefixTakesItselfAndWhatIsBelow) {
  const MatchOptions match{.path = "/orders/"};
  EXPECT_TRUE(Takes(match, Get("/orders")));
  EXPECT_TRUE(Takes(match, Get("/orders/")));
  EXPECT_TRUE(Takes(match, Get("/orders/7?x=1")));
  EXPECT_FALSE(Takes(match, Get("/orders2")));
}

TEST(RouteTableTest, APathWithoutSlashAtItsEndIsExact) {
  const MatchOptions match{.path = "/health"};
  EXPECT_TRUE(Takes(match, Get("/health")));
  EXPECT_FALSE(Takes(match, Get("/health/x")));
}

TEST(RouteTableTest, AHostIsComparedWithoutPortAndCase) {
  const MatchOptions match{.host = "shop.example"};
  EXPECT_TRUE(Takes(match, Get("/", "SHOP.example:8080")));
  EXPECT_FALSE(Takes(match, Get("/", "other.example")));
}

TEST(RouteTableTest, AWildcardTakesEveryNameBelow) {
  const MatchOptions match{.host = "*.example"};
  EXPECT_TRUE(Takes(match, Get("/", "a.b.example")));
  EXPECT_FALSE(Takes(match, Get("/", "example")));
  EXPECT_FALSE(Takes(match, Get("/", "badexample")));
}

TEST(RouteTableTest, MethodsAndHeadersMustAllPass) {
  const MatchOptions match{.method = {"GET", "HEAD"},
                           .header = {{"x-tier", "gold"}, {"x-id", "*"}}};
  auto request = Get("/");
  EXPECT_FALSE(Takes(match, request));
  request.fields.Append("X-Tier", "gold");
  request.fields.Append("X-Id", "7");
  EXPECT_TRUE(Takes(match, request));
  request.method = "POST";
  EXPECT_FALSE(Takes(match, request));
}

TEST(RouteTableTest, TheFirstRouteThatTakesARequestHasIt) {
  std::vector<Route> routes(2);
  routes[0].options.match.path = "/a/";
  routes[0].name = "first";
  routes[1].name = "second";
  const RouteTable table(std::move(routes));
  EXPECT_EQ(table.Find(Get("/a/b"), "/a/b")->name, "first");
  EXPECT_EQ(table.Find(Get("/b"), "/b")->name, "second");
}

}  // namespace
}  // namespace hale::mesh
