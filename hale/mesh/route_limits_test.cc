#include "hale/mesh/route_limits.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

class RouteLimitsTest : public ::testing::Test {
 protected:
  std::shared_ptr<RouteLimit> Make(std::string by, std::uint64_t burst = 1) {
    return std::make_shared<RouteLimit>(Options(std::move(by), burst), "orders", NullSink(),
                                        clock_);
  }
  static LimitOptions Options(std::string by, std::uint64_t burst) {
    return {.rate = {1, 1min}, .burst = burst, .by = std::move(by), .max_keys = 64};
  }
  bool Takes(RouteLimit& limit, std::string_view ip = "192.0.2.1", std::string_view user = {}) {
    net::RequestHead request;
    if (!user.empty()) request.fields.Append("X-User-Id", user);
    return limit.Take(request, ip, clock_.Now()).has_value();
  }

  SimClock clock_;
};

TEST_F(RouteLimitsTest, CountsAllRequestsOfARouteTogether) {
  const auto limit = Make("route");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.2"));
  EXPECT_EQ(limit->refused(), 1U);
}

TEST_F(RouteLimitsTest, CountsEachClientForItself) {
  const auto limit = Make("client_ip");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.1"));
  EXPECT_TRUE(Takes(*limit, "192.0.2.2"));
}

TEST_F(RouteLimitsTest, CountsOneNetworkOfVersionSixAsOneClient) {
  const auto limit = Make("client_ip");
  EXPECT_TRUE(Takes(*limit, "2001:db8:1:2::1"));
  EXPECT_FALSE(Takes(*limit, "2001:db8:1:2::2"));
  EXPECT_TRUE(Takes(*limit, "2001:db8:1:3::1"));
}

TEST_F(RouteLimitsTest, CountsEachValueOfAHeaderForItself) {
  const auto limit = Make("header:x-user-id");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1", "ann"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.9", "ann"));
  EXPECT_TRUE(Takes(*limit, "192.0.2.1", "bob"));
}

TEST_F(RouteLimitsTest, CountsThoseWithoutTheHeaderTogether) {
  const auto limit = Make("header:x-user-id");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.2"));
}

TEST_F(RouteLimitsTest, SaysWhenToComeAgain) {
  const auto limit = Make("route");
  const net::RequestHead request;
  (void)limit->Take(request, "192.0.2.1", clock_.Now());
  const auto taken = limit->Take(request, "192.0.2.1", clock_.Now());
  EXPECT_EQ(taken.error().reason, Reason::kRateLimited);
  EXPECT_NEAR(Seconds(taken.error().retry_after), 60, 0.1);
}

TEST_F(RouteLimitsTest, AllMustAdmit) {
  const RouteLimits limits({Make("route", 10), Make("client_ip", 1)});
  const net::RequestHead request;
  EXPECT_TRUE(limits.Take(request, "192.0.2.1", clock_.Now()));
  EXPECT_FALSE(limits.Take(request, "192.0.2.1", clock_.Now()));
  EXPECT_TRUE(limits.Take(request, "192.0.2.2", clock_.Now()));
}

TEST_F(RouteLimitsTest, ANewFigureForgivesNoDebt) {
  const auto limit = Make("client_ip");
  EXPECT_TRUE(Takes(*limit));
  limit->Apply(Options("client_ip", 2), clock_.Now());
  EXPECT_TRUE(Takes(*limit));  // one of the two had been taken
  EXPECT_FALSE(Takes(*limit));
}

TEST_F(RouteLimitsTest, WithoutLimitsAllPass) {
  const RouteLimits none(std::vector<std::shared_ptr<RouteLimit>>{});
  EXPECT_TRUE(none.Take(net::RequestHead(), "192.0.2.1", clock_.Now()));
}

}  // namespace
}  // namespace hale::mesh
