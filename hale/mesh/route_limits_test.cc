#include "hale/mesh/route_limits.h"

#include <gtest/gtest.h>

#include <vector>

#include "hale/telemetry/sentence.h"

namespace hale::mesh {
namespace {

class RouteLimitsTest : public ::testing::Test {
 protected:
  using Limit = std::shared_ptr<RouteLimit>;

  Limit Make(const LimitOptions& options) {
    return std::make_shared<RouteLimit>(options, "orders", NullSink(), clock_);
  }
  /// One a minute, so that nothing comes back by itself.
  Limit Make(std::string by, std::uint64_t burst = 1) {
    return Make(Options(std::move(by), burst));
  }
  static LimitOptions Options(std::string by, std::uint64_t burst) {
    return {.rate = {1, 1min}, .burst = burst, .by = std::move(by), .max_keys = 64};
  }
  LimitAsk Ask(std::string_view ip = "192.0.2.1") const { return {request_, ip, clock_.Now()}; }
  bool Takes(RouteLimit& limit, std::string_view ip = "192.0.2.1", std::string_view user = {}) {
    net::RequestHead request;
    if (!user.empty()) request.fields.Append("X-User-Id", user);
    return limit.Take({request, ip, clock_.Now()}).has_value();
  }
  /// How many of so many pass.
  int TakeAll(const RouteLimits& limits, int tries, std::string_view ip = "192.0.2.1") {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += limits.Take(Ask(ip)) ? 1 : 0;
    return admitted;
  }

  net::RequestHead request_;
  SimClock clock_;
};

TEST_F(RouteLimitsTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<LimitOptions>())> == 12);
}

TEST_F(RouteLimitsTest, CountsAllRequestsOfARouteTogether) {
  const auto limit = Make("all");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.2"));
  EXPECT_EQ(limit->refused(), 1U);
  EXPECT_EQ(limit->would_refuse(), 0U);
}

TEST_F(RouteLimitsTest, CountsEachClientForItself) {
  const auto limit = Make("client_ip");
  EXPECT_TRUE(Takes(*limit, "192.0.2.1"));
  EXPECT_FALSE(Takes(*limit, "192.0.2.1"));
  EXPECT_TRUE(Takes(*limit, "192.0.2.2"));
  EXPECT_EQ(limit->keys(clock_.Now()), 2U);
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
  const auto limit = Make("all");
  (void)limit->Take(Ask());
  const auto taken = limit->Take(Ask());
  EXPECT_EQ(taken.error().reason, Reason::kRateLimited);
  EXPECT_NEAR(Seconds(taken.error().retry_after), 60, 0.1);
}

TEST_F(RouteLimitsTest, AllMustAdmit) {
  const RouteLimits limits({Make("all", 10), Make("client_ip", 1)});
  EXPECT_EQ(TakeAll(limits, 5, "192.0.2.1"), 1);
  EXPECT_EQ(TakeAll(limits, 5, "192.0.2.2"), 1);
}

TEST_F(RouteLimitsTest, WhatEarlierOnesTookIsGivenBackWhenALaterOneRefuses) {
  for (const LimitKind kind :
       {LimitKind::kTokenBucket, LimitKind::kPacing, LimitKind::kSlidingLog}) {
    LimitOptions first = Options("all", 3);
    first.kind = kind;
    first.rate = {3, 1h};
    first.max_wait = 0ms;
    const Limit whole = Make(first);
    const RouteLimits limits({whole, Make("client_ip", 3), Make("header:x", 1)});
    EXPECT_EQ(TakeAll(limits, 100), 1);
    EXPECT_TRUE(Takes(*whole));
    EXPECT_TRUE(Takes(*whole));
    EXPECT_FALSE(Takes(*whole));
  }
}

TEST_F(RouteLimitsTest, ARefusalSaysWhose) {
  const auto service =
      std::make_shared<RouteLimit>(Options("all", 1), "ledger", NullSink(), clock_);
  const RouteLimits limits({Make("all", 5)}, {service});
  EXPECT_EQ(TakeAll(limits, 1), 1);
  const ListedLimit& by = limits.Take(Ask()).error().by;
  EXPECT_EQ(by.limit->owner(), "ledger");
  EXPECT_EQ(by.which, "limit of the service (1/min by all)");
}

TEST_F(RouteLimitsTest, ARefusalSaysWhichOfItsList) {
  const RouteLimits limits({Make("all", 5), Make("header:x-user", 1)}, {Make("all")});
  EXPECT_EQ(TakeAll(limits, 1), 1);
  const ListedLimit& by = limits.Take(Ask()).error().by;
  EXPECT_EQ(by.of, LimitOf::kRoute);
  EXPECT_EQ(by.place, 2U);
  EXPECT_EQ(by.which, "second limit of the route (1/min by header:x-user)");
}

TEST_F(RouteLimitsTest, ALimitOfBytesSaysThatItIsOne) {
  const LimitOptions options{.rate = {1000, 1s}, .by = "client_ip", .cost = LimitCost::kBytes};
  EXPECT_EQ(RouteLimits({Make(options)}).limits()[0].which,
            "limit of the route (1000/s bytes by client_ip)");
}

TEST_F(RouteLimitsTest, WhatALimitOfBytesRefusesIsToldInBytes) {
  const RouteLimits limits({Make({.rate = {1000, 1s}, .cost = LimitCost::kBytes})});
  Event event;
  event.reason = Reason::kRateLimited;
  event.observed = 2000;
  event.threshold = 1000;
  std::string buffer;
  EXPECT_EQ(telemetry::Figures(ToldOf(event, limits.limits()[0], buffer)), "2000 of 1000 bytes");
}

TEST_F(RouteLimitsTest, AnEventSaysWhichLimitAfterWhatItSaysItself) {
  const RouteLimits limits({Make("all")});
  const ListedLimit& limit = limits.limits()[0];
  std::string buffer;
  Event event;
  EXPECT_EQ(ToldOf(event, limit, buffer).detail, "limit of the route (1/min by all)");
  event.detail = "no place for its key";
  EXPECT_EQ(ToldOf(event, limit, buffer).detail,
            "no place for its key, limit of the route (1/min by all)");
}

TEST_F(RouteLimitsTest, TheLongestWaitSaysWhoseTurnItIs) {
  const LimitOptions slow{.kind = LimitKind::kPacing, .rate = {10, 1s}};
  const LimitOptions slower{.kind = LimitKind::kPacing, .rate = {5, 1s}};
  const RouteLimits limits({Make(slow), Make(slower), Make(slow)});
  EXPECT_EQ(TakeAll(limits, 1), 1);
  EXPECT_EQ(limits.Take(Ask())->waits_at, 1U);
}

TEST_F(RouteLimitsTest, InShadowTheTrailIsToldWhichLimit) {
  struct Trail final : EventSink {
    void On(const Event& event) noexcept override { detail = event.detail; }
    std::string detail;
  };
  Trail trail;
  LimitOptions shadow = Options("client_ip", 1);
  shadow.mode = policy::Mode::kShadow;
  const RouteLimits limits({Make("all", 9), Make(shadow)});
  LimitAsk ask = Ask();
  ask.trail = &trail;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(limits.Take(ask));
  EXPECT_EQ(trail.detail, "second limit of the route (1/min by client_ip)");
}

TEST_F(RouteLimitsTest, OneOfAServiceIsSharedByItsRoutes) {
  const auto shared = Make("all", 3);
  const RouteLimits one({Make("all", 2), shared});
  const RouteLimits other({shared});
  EXPECT_EQ(TakeAll(one, 5), 2);
  EXPECT_EQ(TakeAll(other, 5), 1);
}

TEST_F(RouteLimitsTest, PacingSaysHowLongToWaitAndKeepsTheLastTurn) {
  LimitOptions options{.kind = LimitKind::kPacing, .rate = {10, 1s}, .max_wait = 250ms};
  const RouteLimits limits({Make(options), Make("all", 100)});
  for (const Duration wait : {0ms, 100ms, 200ms}) EXPECT_EQ(limits.Take(Ask())->wait, wait);
  EXPECT_FALSE(limits.Take(Ask()));
}

TEST_F(RouteLimitsTest, PacingPacesEachClientForItself) {
  LimitOptions options{.kind = LimitKind::kPacing, .rate = {10, 1s}, .by = "client_ip"};
  const RouteLimits limits({Make(options)});
  for (const std::string_view ip : {"192.0.2.1", "192.0.2.2"}) {
    EXPECT_EQ(limits.Take(Ask(ip))->wait, 0ms);
    EXPECT_EQ(limits.Take(Ask(ip))->wait, 100ms);
  }
}

TEST_F(RouteLimitsTest, NobodyWaitsLongerThanHeCan) {
  const auto limit = Make({.kind = LimitKind::kPacing, .rate = {10, 1s}});
  EXPECT_TRUE(Takes(*limit));
  EXPECT_FALSE(limit->Take({request_, "", clock_.Now(), 99ms}));
  EXPECT_TRUE(limit->Take({request_, "", clock_.Now(), 100ms}));
}

TEST_F(RouteLimitsTest, WhoStopsWaitingGivesItsTurnBack) {
  const RouteLimits limits({Make({.kind = LimitKind::kPacing, .rate = {10, 1s}})});
  EXPECT_EQ(TakeAll(limits, 1), 1);
  const auto turn = limits.Take(Ask());
  limits.GiveBack(*turn, clock_.Now());
  EXPECT_EQ(limits.Take(Ask())->wait, 100ms);
}

TEST_F(RouteLimitsTest, BytesAreEstimatedAndSettledInTheEnd) {
  LimitOptions options{.rate = {1000, 1s}, .burst = 5000, .cost = LimitCost::kBytes};
  options.estimate = 1000;
  for (const std::string by : {"all", "client_ip"}) {
    options.by = by;
    const RouteLimits limits({Make(options)});
    const auto big = limits.Take(Ask());
    limits.Settle(*big, 4500, clock_.Now());
    EXPECT_FALSE(limits.Take(Ask())) << by;
    clock_.Advance(500ms);
    const auto small = limits.Take(Ask());
    ASSERT_TRUE(small) << by;
    limits.Settle(*small, 10, clock_.Now());
    EXPECT_EQ(limits.Take(Ask()).error().rejection.retry_after, 10ms) << by;
  }
}

TEST_F(RouteLimitsTest, RequestsCostWhatTheyCostHoweverLong) {
  const RouteLimits limits({Make("all", 2)});
  const auto taken = limits.Take(Ask());
  limits.Settle(*taken, 1'000'000, clock_.Now());
  EXPECT_EQ(TakeAll(limits, 5), 1);
}

TEST_F(RouteLimitsTest, ALogIsExactOverAnyWindow) {
  const RouteLimits limits({Make({.kind = LimitKind::kSlidingLog, .rate = {5, 1s}})});
  clock_.Advance(900ms);
  EXPECT_EQ(TakeAll(limits, 10), 5);
  clock_.Advance(999ms);
  EXPECT_EQ(TakeAll(limits, 10), 0);
  clock_.Advance(1ms);
  EXPECT_EQ(TakeAll(limits, 10), 5);
}

TEST_F(RouteLimitsTest, WarmsUpAfterTheStart) {
  LimitOptions options{.rate = {100, 1s}, .burst = 9, .warm_up = 1min, .cold = 3};
  EXPECT_EQ(TakeAll(RouteLimits({Make(options)}), 20), 3);
}

TEST_F(RouteLimitsTest, WhoFindsNoPlaceIsCounted) {
  LimitOptions options = Options("header:x-user-id", 1);
  options.max_keys = 16;
  options.when_full = policy::WhenFull::kRefuse;
  const auto limit = Make(options);
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += Takes(*limit, "", std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(admitted, 24);
  EXPECT_EQ(limit->overflowed(), 76U);
  EXPECT_EQ(limit->keys(clock_.Now()), 24U);
}

TEST_F(RouteLimitsTest, ANewFigureForgivesNoDebt) {
  const auto limit = Make("client_ip");
  EXPECT_TRUE(Takes(*limit));
  limit->Apply(Options("client_ip", 2), clock_.Now());
  EXPECT_TRUE(Takes(*limit));  // one of the two had been taken
  EXPECT_FALSE(Takes(*limit));
}

TEST_F(RouteLimitsTest, WhatALimitCountsIsItsIdentityAndItsFiguresAreNot) {
  const LimitOptions one = Options("client_ip", 1);
  LimitOptions other = Options("client_ip", 7);
  other.max_wait = 1s;
  EXPECT_EQ(LimitIdentity(one), LimitIdentity(other));
  other.kind = LimitKind::kPacing;
  EXPECT_NE(LimitIdentity(one), LimitIdentity(other));
  EXPECT_NE(LimitIdentity(one), LimitIdentity(Options("all", 1)));
}

TEST_F(RouteLimitsTest, WithoutLimitsAllPass) {
  const RouteLimits none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.Take(Ask()));
}

TEST_F(RouteLimitsTest, InShadowEachKindTellsTheTrailOfTheRequest) {
  struct Trail final : EventSink {
    void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
    std::vector<EventKind> kinds;
  };
  Trail all;
  Trail trail;
  using enum LimitKind;
  const std::pair<LimitKind, const char*> kinds[] = {
      {kTokenBucket, "all"}, {kPacing, "all"}, {kSlidingLog, "all"}, {kTokenBucket, "client_ip"}};
  for (const auto& [kind, by] : kinds) {
    LimitOptions options = Options(by, 1);
    options.mode = policy::Mode::kShadow;
    options.kind = kind;
    RouteLimit limit(options, "orders", all, clock_);
    trail.kinds.clear();
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(limit.Take({request_, "192.0.2.1", clock_.Now(), kForever, &trail}));
    }
    EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse}) << static_cast<int>(kind) << by;
  }
  EXPECT_TRUE(all.kinds.empty());
}

}  // namespace
}  // namespace hale::mesh
