#include "hale/host/admin.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::host {
namespace {

class AdminTest : public testing::Test {
 protected:
  AdminTest() { head_.fields.Append("host", "localhost"); }
  AdminResponse Ask(std::string_view method, std::string_view target) {
    head_.method = method;
    head_.target = target;
    return admin_.Answer({head_});
  }
  std::optional<std::string> Query(std::string_view target, std::string_view name) {
    head_.target = target;
    return AdminRequest{head_}.Query(name);
  }

  net::RequestHead head_;
  Admin admin_{
      {.token = "t"},
      {{.method = "GET",
        .path = "/a",
        .about = "reads",
        .handle = [](const AdminRequest&) { return AdminResponse{.body = "read"}; }},
       {.method = "PUT", .path = "/a", .about = "writes", .handle = [](const AdminRequest&) {
          return AdminResponse{.body = "wrote"};
        }}}};
};

TEST_F(AdminTest, FindsARouteByMethodAndPath) {
  EXPECT_EQ(Ask("GET", "/a").body, "read");
  head_.fields.Append("authorization", "Bearer t");
  EXPECT_EQ(Ask("PUT", "/a").body, "wrote");
}

TEST_F(AdminTest, AQueryIsNoPartOfThePath) { EXPECT_EQ(Ask("GET", "/a?b=c").body, "read"); }

TEST_F(AdminTest, HeadIsServedAsGet) { EXPECT_EQ(Ask("HEAD", "/a").status, 200); }

TEST_F(AdminTest, AWriteIsGuarded) {
  const AdminResponse response = Ask("PUT", "/a");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.reason, Reason::kUnauthenticated);
}

TEST_F(AdminTest, WhatIsNotThereIsA404) {
  EXPECT_EQ(Ask("GET", "/b").status, 404);
  EXPECT_EQ(Ask("GET", "/a/").status, 404);
}

TEST_F(AdminTest, AnotherMethodIsA405ThatNamesThoseThereAre) {
  head_.fields.Append("authorization", "Bearer t");
  const AdminResponse response = Ask("DELETE", "/a");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.allow, "GET, PUT");
}

TEST_F(AdminTest, AStrangerLearnsNothing) {
  head_.fields.Set("host", "evil.com");
  EXPECT_EQ(Ask("GET", "/b").status, 403);
  EXPECT_EQ(Ask("GET", "/").status, 403);
}

TEST_F(AdminTest, TheRootListsTheRoutes) {
  EXPECT_EQ(Ask("GET", "/").body, "GET  /a           reads\nPUT  /a           writes\n");
}

TEST_F(AdminTest, ReadsAQuery) {
  EXPECT_EQ(Query("/a?x=1&id=r-1&y", "id"), "r-1");
  EXPECT_EQ(Query("/a?id=a%2Fb%3d%25", "id"), "a/b=%");
  EXPECT_EQ(Query("/a?id=a+b%zz%4", "id"), "a+b%zz%4");
  EXPECT_EQ(Query("/a?id", "id"), "");
  EXPECT_EQ(Query("/a?ids=1", "id"), std::nullopt);
  EXPECT_EQ(Query("/a", "id"), std::nullopt);
}

TEST_F(AdminTest, AnErrorIsJson) {
  EXPECT_EQ(AdminError(400, Reason::kProtocol, "a \"b\"").body,
            "{\"error\":\"a \\\"b\\\"\",\"reason\":\"protocol\"}\n");
}

}  // namespace
}  // namespace hale::host
