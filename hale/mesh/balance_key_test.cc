#include "hale/mesh/balance_key.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

class BalanceKeyTest : public testing::Test {
 protected:
  std::uint64_t Of(std::string_view key, std::string_view ip = "192.0.2.1") {
    return AffinityOf(key, fields_, ip);
  }
  net::Fields fields_;
};

TEST_F(BalanceKeyTest, ReadsWhatItMayBe) {
  EXPECT_EQ(ParseBalanceKey("client_ip")->kind, BalanceKey::Kind::kClientIp);
  EXPECT_EQ(ParseBalanceKey("header:x-user")->name, "x-user");
  EXPECT_EQ(ParseBalanceKey("cookie:session")->name, "session");
  for (const char* bad : {"", "header:", "cookie:", "route", "Client_ip"}) {
    EXPECT_FALSE(ParseBalanceKey(bad)) << bad;
  }
}

TEST_F(BalanceKeyTest, TellsClientsApart) {
  EXPECT_EQ(Of("client_ip", "192.0.2.1"), Of("client_ip", "192.0.2.1"));
  EXPECT_NE(Of("client_ip", "192.0.2.1"), Of("client_ip", "192.0.2.2"));
  EXPECT_EQ(Of("client_ip", "2001:db8::1"), Of("client_ip", "2001:db8::2"));  // one /64
}

TEST_F(BalanceKeyTest, TellsHeadersApart) {
  fields_.Append("X-User", "7");
  const auto seven = Of("header:x-user");
  EXPECT_NE(seven, 0U);
  fields_.Set("X-User", "8");
  EXPECT_NE(Of("header:x-user"), seven);
}

TEST_F(BalanceKeyTest, FindsItsCookieAmongOthers) {
  fields_.Append("Cookie", "a=1; xsession=9;session=abc ; b");
  fields_.Append("cookie", "late=z");
  EXPECT_EQ(FindCookie(fields_, "session"), "abc");
  EXPECT_EQ(FindCookie(fields_, "late"), "z");
  EXPECT_FALSE(FindCookie(fields_, "b"));
  EXPECT_FALSE(FindCookie(fields_, "sess"));
  EXPECT_NE(Of("cookie:session"), 0U);
}

TEST_F(BalanceKeyTest, GivesWhoBringsNothingNoKey) {
  fields_.Append("x-empty", "");
  EXPECT_EQ(Of("header:x-user"), 0U);
  EXPECT_EQ(Of("header:x-empty"), 0U);
  EXPECT_EQ(Of("cookie:session"), 0U);
  EXPECT_EQ(Of("client_ip", ""), 0U);
  EXPECT_EQ(Of(""), 0U);
}

}  // namespace
}  // namespace hale::mesh
