#include "hale/telemetry/redact.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace hale::telemetry {
namespace {

std::string Redact(std::string_view target) {
  std::array<char, 256> out;
  return std::string(RedactTarget(target, out));
}

TEST(RedactTest, KnowsTheNamesOfSecrets) {
  for (const char* name : {"Authorization", "proxy-authorization", "Cookie", "Set-Cookie",
                           "X-API-Key", "x_api_key", "apikey", "db_password", "PASSWD",
                           "client_secret", "X-Auth-Token", "aws-credentials", "x-signature"}) {
    EXPECT_TRUE(IsSecretName(name)) << name;
  }
}

TEST(RedactTest, LeavesOtherNamesAlone) {
  for (const char* name : {"", "order_id", "user-agent", "accept", "key", "author", "passenger"}) {
    EXPECT_FALSE(IsSecretName(name)) << name;
  }
}

TEST(RedactTest, APathIsNoSecret) { EXPECT_EQ(Redact("/orders/7"), "/orders/7"); }

TEST(RedactTest, QueryValuesAreHiddenAndTheirNamesKept) {
  EXPECT_EQ(Redact("/a?user=ann&n=1"), "/a?user=***&n=***");
}

TEST(RedactTest, ALoneWordOfAQueryIsHidden) { EXPECT_EQ(Redact("/a?s3cr3t&b="), "/a?***&b=***"); }

TEST(RedactTest, AnEqualsSignInAValueRevealsNothing) {
  EXPECT_EQ(Redact("/a?t=abc==&u=1"), "/a?t=***&u=***");
}

TEST(RedactTest, TheUserOfAUrlAndItsFragmentAreDropped) {
  EXPECT_EQ(Redact("http://ann:pw@host/a?b=1#f"), "http://host/a?b=***");
  EXPECT_EQ(Redact("http://ann:p@w@host"), "http://host");
}

TEST(RedactTest, AnAtSignInAPathIsJustThat) {
  EXPECT_EQ(Redact("http://host/@ann"), "http://host/@ann");
  EXPECT_EQ(Redact("/a://b@c"), "/a://b@c");
}

TEST(RedactTest, WhatDoesNotFitIsCut) {
  std::array<char, 8> out;
  EXPECT_EQ(RedactTarget("/abc?def=1", out), "/abc?def");
}

TEST(RedactTest, AnEmptyQueryStaysEmpty) { EXPECT_EQ(Redact("/a?"), "/a?"); }

}  // namespace
}  // namespace hale::telemetry
