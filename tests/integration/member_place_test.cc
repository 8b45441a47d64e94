#include "hale/mesh/member_place.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "hale/mesh/pools.h"
#include "tests/conformance/real_time.h"

namespace hale::mesh {
namespace {

std::shared_ptr<Member> Named(const std::string& address) {
  return std::make_shared<Member>(cluster::Instance{.address = address}, ServiceOptions{},
                                  policy::CircuitBreakerContext{});
}
net::Address At(std::string_view text) { return *net::Address::Parse(text); }

TEST(MemberPlaceTest, ANameIsLookedUp) {
  test::RealTime time;
  net::Resolver resolver;
  const auto member = Named("localhost:80");
  EXPECT_FALSE(member->place());
  time.loop().Post([&] { Spawn(LookUpPlace(time.loop(), resolver, member, 5s)); });
  EXPECT_TRUE(time.RunUntil([&] { return member->place().has_value(); }));
  EXPECT_EQ(member->place()->port, 80);
}

TEST(MemberPlaceTest, ConnectionsFollowANameThatMoves) {
  net::Loop loop;
  net::Resolver resolver;
  Pools pools(loop, resolver);
  const auto member = Named("ledger:80");
  EXPECT_EQ(pools.Find(member, {}), nullptr);
  member->OnPlaces(std::array{At("10.0.0.1:80")});
  ASSERT_NE(pools.Find(member, {}), nullptr);
  EXPECT_EQ(pools.Find(member, {})->address(), At("10.0.0.1:80"));
  member->OnPlaces(std::array{At("10.0.0.2:80")});
  EXPECT_EQ(pools.Find(member, {})->address(), At("10.0.0.2:80"));
}

TEST(MemberPlaceTest, AMemberStaysWhereItIsWhileItsNameSaysSo) {
  const auto member = Named("ledger:80");
  member->OnPlaces(std::array{At("10.0.0.2:80")});
  member->OnPlaces(std::array{At("10.0.0.1:80"), At("10.0.0.2:80")});
  EXPECT_EQ(member->place(), At("10.0.0.2:80"));
  EXPECT_EQ(member->moves(), 0U);
  member->OnPlaces({});
  EXPECT_EQ(member->place(), At("10.0.0.2:80"));
}

TEST(MemberPlaceTest, ANumericAddressIsItsPlace) {
  const auto member = Named("10.0.0.1:80");
  member->OnPlaces(std::array{At("10.0.0.2:80")});
  EXPECT_EQ(member->place(), At("10.0.0.1:80"));
}

}  // namespace
}  // namespace hale::mesh
