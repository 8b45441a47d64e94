#include "hale/net/address.h"

#include <gtest/gtest.h>

namespace hale::net {
namespace {

TEST(AddressTest, ReadsWhatItPrints) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::7]:443"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->Text(), text);
  }
}

TEST(AddressTest, RefusesWhatIsNotOneNumericAddressAndPort) {
  for (const char* text : {"", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", ":80",
                           "127.0.0.1:80x", "127.0.0.1:+80", "::1:80", "[::1]", "[::1:80",
                           "[127.0.0.1]:80", "[fe80::1%eth0]:80", "1.2.3.4.5:80"}) {
    EXPECT_FALSE(Address::Parse(text)) << text;
  }
}

TEST(AddressTest, TellsAddressesApartByPortAndFamily) {
  EXPECT_EQ(Address::Loopback(80), *Address::Parse("127.0.0.1:80"));
  EXPECT_NE(Address::Loopback(80), Address::Loopback(81));
  EXPECT_NE(*Address::Parse("[7f00:1::]:80"), Address::Loopback(80));
}

TEST(AddressTest, SplitsANameFromItsPort) {
  const auto parts = SplitHostPort("orders.internal:8080");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->host, "orders.internal");
  EXPECT_EQ(parts->port, 8080);
}

}  // namespace
}  // namespace hale::net
