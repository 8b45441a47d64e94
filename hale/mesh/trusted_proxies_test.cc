#include "hale/mesh/trusted_proxies.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

net::Address Peer(std::string_view text) { return *net::Address::Parse(text); }

std::string Client(const TrustedProxies& trusted, std::string_view peer,
                   std::initializer_list<std::string_view> forwarded) {
  net::Fields fields;
  for (const auto value : forwarded) fields.Append("X-Forwarded-For", value);
  return trusted.ClientIp(Peer(peer), fields);
}

TEST(TrustedProxiesTest, AnUntrustedPeerIsTheClientWhateverItSays) {
  EXPECT_EQ(Client(TrustedProxies({}), "192.0.2.1:5", {"10.1.1.1"}), "192.0.2.1");
}

TEST(TrustedProxiesTest, TheLastUntrustedEntryIsTheClient) {
  const TrustedProxies trusted({"10.0.0.0/8"});
  EXPECT_EQ(Client(trusted, "10.0.0.1:5", {"6.6.6.6, 192.0.2.7, 10.2.2.2"}), "192.0.2.7");
  EXPECT_EQ(Client(trusted, "10.0.0.1:5", {"192.0.2.7", " 10.2.2.2 "}), "192.0.2.7");
}

TEST(TrustedProxiesTest, StopsAtTheFirstEntryThatIsNoAddress) {
  const TrustedProxies trusted({"10.0.0.0/8"});
  EXPECT_EQ(Client(trusted, "10.0.0.1:5", {"192.0.2.7, unknown, 10.2.2.2"}), "10.2.2.2");
  EXPECT_EQ(Client(trusted, "10.0.0.1:5", {""}), "10.0.0.1");
}

TEST(TrustedProxiesTest, ReadsIpv6WithBracketsAndPort) {
  const TrustedProxies trusted({"::1/128", "fd00::/8"});
  EXPECT_EQ(Client(trusted, "[::1]:80", {"[2001:db8::5]:99, fd00::1"}), "2001:db8::5");
}

}  // namespace
}  // namespace hale::mesh
