#include "hale/policy/client_key.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::policy {
namespace {

std::string Key(std::string_view address) { return std::string(ClientKey(address).view()); }

TEST(ClientKeyTest, AnIPv4AddressIsItsOwnKey) {
  EXPECT_EQ(Key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Key("192.0.2.1:443"), "192.0.2.1");
  EXPECT_EQ(Key("255.255.255.255:65535"), "255.255.255.255");
}

TEST(ClientKeyTest, AnIPv6AddressIsKeyedByItsPrefix) {
  EXPECT_EQ(Key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(Key("2001:DB8:1:2:ffff::1"), Key("2001:db8:1:2::"));
  EXPECT_NE(Key("2001:db8:1:2::1"), Key("2001:db8:1:3::1"));
}

TEST(ClientKeyTest, BracketsPortAndZoneAreLeftOut) {
  EXPECT_EQ(Key("[2001:db8::1]:443"), "2001:db8::/64");
  EXPECT_EQ(Key("[2001:db8::1]"), "2001:db8::/64");
  EXPECT_EQ(Key("fe80::1%eth0"), "fe80::/64");
}

TEST(ClientKeyTest, AMappedAddressIsItsIPv4Address) {
  EXPECT_EQ(Key("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Key("[::ffff:192.0.2.1]:80"), "192.0.2.1");
}

TEST(ClientKeyTest, WhateverIsNoAddressSharesOneKey) {
  for (const std::string_view text :
       {"", "?", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::", "[", "[]:80", ":", "%"}) {
    EXPECT_EQ(Key(text), "?") << text;
  }
  EXPECT_EQ(Key(std::string(100'000, '1')), "?");
  EXPECT_EQ(Key(std::string("1.2.3.4\0x", 9)), "?");
}

TEST(ClientKeyTest, TheLongestAddressFits) {
  EXPECT_EQ(Key("abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd"), "abcd:abcd:abcd:abcd::/64");
  EXPECT_EQ(Key("0000:0000:0000:0000:0000:ffff:192.168.100.228"), "192.168.100.228");
}

}  // namespace
}  // namespace hale::policy
