#include "hale/host/limit_metrics.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hale/base/clock.h"
#include "hale/telemetry/exposition.h"

namespace hale::host {
namespace {

class LimitMetricsTest : public testing::Test {
 protected:
  using Limit = std::shared_ptr<mesh::RouteLimit>;

  Limit Make(const std::string& owner, const std::string& by,
             policy::Mode mode = policy::Mode::kEnforce) {
    const mesh::LimitOptions options{.mode = mode, .rate = {1, 1h}, .by = by, .max_keys = 16};
    return std::make_shared<mesh::RouteLimit>(options, owner, NullSink(), clock_);
  }
  static mesh::Route RouteWith(mesh::RouteLimits limits) {
    mesh::Route route;
    route.limits = std::move(limits);
    return route;
  }
  /// One passes, the others are too many.
  void Ask(const Limit& limit, int times) {
    for (int i = 0; i < times; ++i) (void)limit->Take({request_, "192.0.2.1", clock_.Now()});
  }
  std::string Shown(const mesh::RouteTable& table) {
    telemetry::Registry registry;
    registry.Compute(
        {"hale_limit_decisions_total", "Decided.", {"route", "service", "limit", "by", "what"}},
        telemetry::MetricKind::kCounter,
        [&](telemetry::SampleSink& sink) { SampleLimits(table, sink); });
    return Expose(registry, telemetry::MetricFormat::kText);
  }

  net::RequestHead request_;
  SimClock clock_;
};

TEST_F(LimitMetricsTest, SaysWhichLimitOfARouteRefused) {
  const Limit second = Make("orders", "client_ip");
  Ask(second, 3);
  const mesh::RouteTable table({RouteWith(mesh::RouteLimits({Make("orders", "all"), second}))});
  const std::string shown = Shown(table);
  EXPECT_TRUE(shown.contains(R"({route="orders",service="",limit="1",by="all",what="refused"} 0)"))
      << shown;
  EXPECT_TRUE(
      shown.contains(R"({route="orders",service="",limit="2",by="client_ip",what="refused"} 2)"))
      << shown;
}

TEST_F(LimitMetricsTest, CountsApartWhatShadowWouldRefuse) {
  const Limit shadow = Make("orders", "all", policy::Mode::kShadow);
  Ask(shadow, 3);
  const std::string shown = Shown(mesh::RouteTable({RouteWith(mesh::RouteLimits({shadow}))}));
  EXPECT_TRUE(shown.contains(R"(by="all",what="refused"} 0)")) << shown;
  EXPECT_TRUE(shown.contains(R"(by="all",what="would_refuse"} 2)")) << shown;
}

TEST_F(LimitMetricsTest, OneOfAServiceIsCountedOnceHoweverManyRoutesItHas) {
  const Limit shared = Make("ledger", "all");
  Ask(shared, 3);
  const mesh::RouteLimits both({}, {shared});
  const std::string shown = Shown(mesh::RouteTable({RouteWith(both), RouteWith(both)}));
  EXPECT_TRUE(shown.contains(R"({route="",service="ledger",limit="1",by="all",what="refused"} 2)"))
      << shown;
}

TEST_F(LimitMetricsTest, OneThatIsOnlyFallenBackToIsCountedToo) {
  const Limit limit = Make("archive", "all");
  Ask(limit, 3);
  auto fallback = std::make_shared<mesh::RouteFallback>();
  fallback->limits = mesh::RouteLimits({}, {limit});
  mesh::Route route = RouteWith({});
  route.fallback = std::move(fallback);
  const std::string shown = Shown(mesh::RouteTable({std::move(route)}));
  EXPECT_TRUE(shown.contains(R"(service="archive",limit="1",by="all",what="refused"} 2)")) << shown;
}

TEST_F(LimitMetricsTest, RoutesOfOneNameAreOneSeries) {
  const Limit one = Make("/", "all");
  const Limit other = Make("/", "all");
  Ask(one, 3);
  Ask(other, 3);
  const mesh::RouteTable table(
      {RouteWith(mesh::RouteLimits({one})), RouteWith(mesh::RouteLimits({other}))});
  const std::string shown = Shown(table);
  EXPECT_TRUE(shown.contains(R"({route="/",service="",limit="1",by="all",what="refused"} 4)"))
      << shown;
}

}  // namespace
}  // namespace hale::host
