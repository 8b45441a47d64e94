#include "hale/mesh/request_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace hale::mesh {
namespace {

class RequestKeyTest : public ::testing::Test {
 protected:
  RequestKeyTest() { request_.fields.Append("Host", "shop.example"); }
  std::string Key(const std::vector<std::string>& by = {}) const {
    return RequestKey(request_, by);
  }
  bool Twins(const std::vector<std::string>& by = {}) const { return HasTwins(request_, by); }
  net::RequestHead request_;
};

TEST_F(RequestKeyTest, TellsMethodsHostsPathsAndQueriesApart) {
  const std::string key = Key();
  for (int change = 0; change < 4; ++change) {
    const net::RequestHead before = request_;
    if (change == 0) request_.method = "HEAD";
    if (change == 1) request_.fields.Set("Host", "other.example");
    if (change == 2) request_.target = "/a";
    if (change == 3) request_.target = "/?a";
    EXPECT_NE(Key(), key) << change;
    request_ = before;
  }
  EXPECT_EQ(Key(), key);
}

TEST_F(RequestKeyTest, TakesAHostInAnyCase) {
  const std::string key = Key();
  request_.fields.Set("Host", "SHOP.Example");
  EXPECT_EQ(Key(), key);
}

TEST_F(RequestKeyTest, IsAboutAHostAndATargetWhateverTheMethod) {
  const std::string subject = RequestSubject(request_);
  request_.method = "PUT";
  request_.fields.Set("Host", "SHOP.Example");
  request_.fields.Set("Accept", "text/html");
  EXPECT_EQ(RequestSubject(request_), subject);
  request_.target = "/a";
  EXPECT_NE(RequestSubject(request_), subject);
}

TEST_F(RequestKeyTest, TellsTheChosenFieldsApartAndNoOthers) {
  const std::string chosen = Key({"accept"});
  const std::string without = Key();
  request_.fields.Append("Accept", "text/html");
  EXPECT_NE(Key({"accept"}), chosen);
  EXPECT_EQ(Key(), without);
}

TEST_F(RequestKeyTest, TellsAnEmptyFieldFromNone) {
  const std::string none = Key({"accept"});
  request_.fields.Append("Accept", "");
  EXPECT_NE(Key({"accept"}), none);
}

TEST_F(RequestKeyTest, TellsTheValuesOfTwoFieldsApart) {
  net::RequestHead other = request_;
  request_.fields.Append("X-A", "1");
  other.fields.Append("X-B", "1");
  const std::vector<std::string> by = {"x-a", "x-b"};
  EXPECT_NE(RequestKey(request_, by), RequestKey(other, by));
}

TEST_F(RequestKeyTest, TellsTheSameValueOfAnotherFieldApart) {
  request_.fields.Append("X-User", "7");
  request_.fields.Append("X-Tenant", "7");
  EXPECT_NE(Key({"x-user"}), Key({"x-tenant"}));
  EXPECT_NE(Key({"x-none"}), Key({"x-other"}));
  EXPECT_EQ(Key({"x-user"}), Key({"X-User"}));
}

TEST_F(RequestKeyTest, TellsFlightsOfAnotherStandingApart) {
  const std::vector<std::string> by = {"accept"};
  const Standing standing{policy::Priority::kSheddable, "free"};
  const std::string key = FlightKey(request_, by, standing);
  EXPECT_NE(FlightKey(request_, by, {policy::Priority::kCritical, "free"}), key);
  EXPECT_NE(FlightKey(request_, by, {policy::Priority::kSheddable, "paid"}), key);
  EXPECT_EQ(FlightKey(request_, by, standing), key);
  request_.fields.Append("Accept", "text/html");
  EXPECT_NE(FlightKey(request_, by, standing), key);
}

TEST_F(RequestKeyTest, HasTwinsIfItIsAGetOrHeadOfNothingBut) {
  EXPECT_TRUE(Twins());
  request_.method = "HEAD";
  EXPECT_TRUE(Twins());
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    request_.method = method;
    EXPECT_FALSE(Twins()) << method;
  }
}

TEST_F(RequestKeyTest, HasNoneWithABody) {
  request_.framing = net::Framing::Length(0);
  EXPECT_TRUE(Twins());
  request_.framing = net::Framing::Length(1);
  EXPECT_FALSE(Twins());
  request_.framing = net::Framing::Chunked();
  EXPECT_FALSE(Twins());
}

TEST_F(RequestKeyTest, HasNoneWhenItAsksForAPartOrOnACondition) {
  for (const auto* name : {"Range", "If-None-Match", "If-Modified-Since", "If-Match"}) {
    net::RequestHead request = request_;
    request.fields.Append(name, "x");
    EXPECT_FALSE(HasTwins(request, {})) << name;
  }
}

TEST_F(RequestKeyTest, HasNoneWhenItWantsAFreshAnswer) {
  for (const auto* demand : {"no-cache", "max-age=0", "x, no-store"}) {
    net::RequestHead request = request_;
    request.fields.Append("Cache-Control", demand);
    EXPECT_FALSE(HasTwins(request, {})) << demand;
  }
  request_.fields.Append("Pragma", "no-cache");
  EXPECT_FALSE(Twins());
}

TEST_F(RequestKeyTest, HasNoneWithCredentialsUnlessTheyAreAPartOfTheKey) {
  request_.fields.Append("Cookie", "session=1");
  EXPECT_FALSE(Twins());
  EXPECT_TRUE(Twins({"cookie"}));
  request_.fields.Append("Authorization", "Bearer x");
  EXPECT_FALSE(Twins({"cookie"}));
  EXPECT_TRUE(Twins({"Cookie", "authorization"}));
}

}  // namespace
}  // namespace hale::mesh
