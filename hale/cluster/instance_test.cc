#include "hale/cluster/instance.h"

#include <gtest/gtest.h>

#include <limits>

namespace hale::cluster {
namespace {

TEST(CheckAddressTest, TakesNamesAndBothFamilies) {
  for (const char* good : {"localhost:1", "a.b-c_d.example:65535", "127.0.0.1:80", "[::1]:8080",
                           "[2001:db8::1.2.3.4]:443"}) {
    EXPECT_TRUE(CheckAddress(good)) << good;
  }
}

TEST(CheckAddressTest, RefusesWhatCannotBeConnectedTo) {
  for (const char* bad : {"",         "localhost",      ":80",          "a:",       "a:0",
                          "a:65536",  "a:70000",        "a:-1",         "a:080",    "a:80x",
                          "a: 80",    "::1:80",         "[::1]",        "[::1:80",  "[]:80",
                          "[::g]:80", "[127.0.0.1]:80", "999.1.1.1:80", "1.2.3:80", "a b:80",
                          "a/b:80",   "http://a:80",    "a:80/x"}) {
    EXPECT_FALSE(CheckAddress(bad)) << bad;
  }
}

TEST(CheckAddressTest, RefusesWhatHidesBehindAZeroByte) {
  using namespace std::string_view_literals;
  for (const std::string_view bad : {"[::1\0 x]:80"sv, "1.2.3.4\0:80"sv, "a\0b:80"sv, "a:80\0"sv}) {
    EXPECT_FALSE(CheckAddress(bad)) << bad;
  }
}

TEST(CheckAddressTest, RefusesANameLongerThanTheDnsAllows) {
  EXPECT_TRUE(CheckAddress(std::string(253, 'a') + ":80"));
  EXPECT_FALSE(CheckAddress(std::string(254, 'a') + ":80"));
}

TEST(CheckAddressTest, SaysWhatItFoundWithoutAllOfIt) {
  const auto checked = CheckAddress(std::string(100'000, 'a') + ":80");
  ASSERT_FALSE(checked);
  EXPECT_LT(checked.error().message.size(), 200U);
  EXPECT_NE(checked.error().message.find("aaaa"), std::string::npos);
}

TEST(CheckInstanceTest, RefusesAWeightThatIsNoShare) {
  for (const double bad : {-0.1, 1000.1, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(Check(Instance{.address = "a:1", .weight = bad})) << bad;
  }
  EXPECT_TRUE(Check(Instance{.address = "a:1", .weight = 0}));
  EXPECT_TRUE(Check(Instance{.address = "a:1", .weight = 1000}));
}

TEST(CheckInstanceTest, BoundsWhatARegistryCarriesAlong) {
  Instance instance{.address = "a:1"};
  instance.metadata["k"] = std::string(16 * 1024 - 1, 'x');
  EXPECT_TRUE(Check(instance));
  instance.metadata["k"] += 'x';
  EXPECT_FALSE(Check(instance));
}

}  // namespace
}  // namespace hale::cluster
