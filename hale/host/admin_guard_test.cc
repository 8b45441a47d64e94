#include "hale/host/admin_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::host {
namespace {

class AdminGuardTest : public testing::Test {
 protected:
  AdminGuardTest() { request_.fields.Append("host", "127.0.0.1:9901"); }
  // 0 when it is admitted, else the status of the refusal.
  int Ask(std::string_view method, AdminAccess access = AdminAccess::kGuarded) {
    request_.method = method;
    const auto admitted = Admit(rules_, request_, access);
    return admitted ? 0 : admitted.error().status;
  }
  void Host(std::string_view value) { request_.fields.Set("host", value); }
  void Authorize(std::string_view value) { request_.fields.Set("authorization", value); }

  AdminRules rules_{.token = "s3cr3t", .hosts = {"hale.internal"}};
  net::RequestHead request_;
};

TEST_F(AdminGuardTest, LoopbackHasManyNames) {
  for (const char* name :
       {"localhost", "LOCALHOST:9901", "127.0.0.1", "127.8.8.8:1", "[::1]", "[::1]:9901"}) {
    EXPECT_TRUE(IsLoopbackName(name)) << name;
  }
}

TEST_F(AdminGuardTest, WhatOnlyLooksLikeLoopbackIsNot) {
  for (const char* name : {"", "localhost.evil.com", "127.0.0.1.evil.com", "128.0.0.1", "127.1",
                           "[::2]", "[::1", "evil.com:127", "0.0.0.0", "localhost@evil.com"}) {
    EXPECT_FALSE(IsLoopbackName(name)) << name;
  }
}

TEST_F(AdminGuardTest, ReadingNeedsOnlyAKnownName) {
  EXPECT_EQ(Ask("GET"), 0);
  EXPECT_EQ(Ask("HEAD"), 0);
  Host("HALE.internal:9901");
  EXPECT_EQ(Ask("GET"), 0);
}

TEST_F(AdminGuardTest, APageThatResolvesItsNameToUsIsRefused) {
  Host("evil.com");
  EXPECT_EQ(Ask("GET"), 403);
  Host("hale.internal.evil.com");
  EXPECT_EQ(Ask("GET"), 403);
}

TEST_F(AdminGuardTest, NoHostAndTwoHostsAreRefused) {
  request_.fields.Append("host", "127.0.0.1");
  EXPECT_EQ(Ask("GET"), 403);
  request_.fields.Remove("host");
  EXPECT_EQ(Ask("GET"), 403);
}

TEST_F(AdminGuardTest, AProbeComesUnderAnyName) {
  Host("10.1.2.3:9901");
  EXPECT_EQ(Ask("GET", AdminAccess::kOpen), 0);
  EXPECT_EQ(Ask("GET", AdminAccess::kGuarded), 403);
  EXPECT_EQ(Ask("POST", AdminAccess::kOpen), 403);
}

TEST_F(AdminGuardTest, WritingNeedsTheToken) {
  EXPECT_EQ(Ask("PUT"), 401);
  Authorize("Bearer s3cr3t");
  EXPECT_EQ(Ask("PUT"), 0);
  Authorize("bearer s3cr3t");
  EXPECT_EQ(Ask("PUT"), 0);
}

TEST_F(AdminGuardTest, AWrongTokenIsRefused) {
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer s3cr3", "Bearer s3cr3tt",
                            "Bearer S3cr3t", "Basic s3cr3t", "s3cr3t", "Bearer  s3cr3t"}) {
    Authorize(value);
    EXPECT_EQ(Ask("PUT"), 401) << value;
  }
}

TEST_F(AdminGuardTest, TwoTokensAreNone) {
  request_.fields.Append("authorization", "Bearer s3cr3t");
  request_.fields.Append("authorization", "Bearer s3cr3t");
  EXPECT_EQ(Ask("PUT"), 401);
}

TEST_F(AdminGuardTest, WithoutATokenNobodyMayWrite) {
  rules_.token.clear();
  Authorize("Bearer ");
  EXPECT_EQ(Ask("PUT"), 403);
}

TEST_F(AdminGuardTest, AForeignPageMayNotWriteEvenWithTheToken) {
  Authorize("Bearer s3cr3t");
  for (const char* origin : {"https://evil.com", "null", "http://127.0.0.1:80",
                             "http://localhost:9901", "http://127.0.0.1:9901.evil.com"}) {
    request_.fields.Set("origin", origin);
    EXPECT_EQ(Ask("PUT"), 403) << origin;
  }
}

TEST_F(AdminGuardTest, OurOwnPageMayWriteWithTheToken) {
  Authorize("Bearer s3cr3t");
  request_.fields.Set("origin", "http://127.0.0.1:9901");
  request_.fields.Set("sec-fetch-site", "same-origin");
  EXPECT_EQ(Ask("PUT"), 0);
}

TEST_F(AdminGuardTest, ACrossSiteRequestMayNotWrite) {
  Authorize("Bearer s3cr3t");
  request_.fields.Set("sec-fetch-site", "cross-site");
  EXPECT_EQ(Ask("PUT"), 403);
}

TEST_F(AdminGuardTest, EveryMethodButGetAndHeadWrites) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"}) {
    EXPECT_EQ(Ask(method), 401) << method;
  }
}

}  // namespace
}  // namespace hale::host
