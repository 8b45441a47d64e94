#include "hale/mesh/fair_key.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

constexpr policy::HashSecret kSecret{1, 2};

net::RequestHead RequestOf(std::string_view user) {
  net::RequestHead head;
  if (!user.empty()) head.fields.Append("X-User-Id", user);
  return head;
}

TEST(FairKeyTest, IsNoneWhenNothingIsSaid) {
  EXPECT_EQ(FairKey("", kSecret).Of(RequestOf("7"), "192.0.2.1"), 0U);
  EXPECT_EQ(FairKey().Of(RequestOf("7"), "192.0.2.1"), 0U);
}

TEST(FairKeyTest, TellsClientsApart) {
  const FairKey key("client_ip", kSecret);
  const auto one = key.Of(RequestOf("7"), "192.0.2.1");
  EXPECT_NE(one, 0U);
  EXPECT_EQ(one, key.Of(RequestOf("8"), "192.0.2.1"));
  EXPECT_NE(one, key.Of(RequestOf("7"), "192.0.2.2"));
}

// One client has 2^64 addresses of IPv6.
TEST(FairKeyTest, TakesANetworkOfIpv6ForOneClient) {
  const FairKey key("client_ip", kSecret);
  EXPECT_EQ(key.Of(RequestOf(""), "2001:db8::1"), key.Of(RequestOf(""), "2001:db8::2:3:4"));
}

TEST(FairKeyTest, TellsTheValuesOfAHeaderApart) {
  const FairKey key("header:x-user-id", kSecret);
  EXPECT_EQ(key.Of(RequestOf("7"), "192.0.2.1"), key.Of(RequestOf("7"), "192.0.2.2"));
  EXPECT_NE(key.Of(RequestOf("7"), ""), key.Of(RequestOf("8"), ""));
}

TEST(FairKeyTest, TakesThoseWithoutTheHeaderForOne) {
  const FairKey key("header:x-user-id", kSecret);
  EXPECT_NE(key.Of(RequestOf(""), "192.0.2.1"), 0U);
  EXPECT_EQ(key.Of(RequestOf(""), "192.0.2.1"), key.Of(RequestOf(""), "192.0.2.2"));
}

// Nobody outside can foresee whom it shares turns with.
TEST(FairKeyTest, DependsOnItsSecret) {
  const FairKey other("client_ip", {3, 4});
  EXPECT_NE(FairKey("client_ip", kSecret).Of(RequestOf(""), "192.0.2.1"),
            other.Of(RequestOf(""), "192.0.2.1"));
}

TEST(FairKeyTest, KnowsWhatCanBeSaid) {
  for (const auto* good : {"", "client_ip", "header:x-user-id"}) {
    EXPECT_TRUE(FairKey::Valid(good)) << good;
  }
  for (const auto* bad : {"header:", "header:x user", "ip", "route", "Client_ip"}) {
    EXPECT_FALSE(FairKey::Valid(bad)) << bad;
  }
}

}  // namespace
}  // namespace hale::mesh
