#include "app/demo_callers.h"

#include <gmock/gmock.h>

#include <set>

#include "app/demo_document.h"

namespace hale::app {
namespace {

using testing::Each;
using testing::Field;
using testing::SizeIs;

std::vector<DemoCaller> Callers(bool flood) {
  return DemoCallers({.port = 8080, .length = 3s, .flood = flood});
}

TEST(DemoCallersTest, AreFourUsersWhoSendLessThanOneMay) {
  const std::vector<DemoCaller> users = Callers(false);
  EXPECT_THAT(users, SizeIs(4));
  for (const DemoCaller& user : users) {
    EXPECT_FALSE(user.floods);
    EXPECT_LT(user.load.rate.PerSecond(), kDemoLimit);
  }
}

// 250 of its 2,000 may pass, 500 with twice the limit: the flooder is refused either way.
TEST(DemoCallersTest, AreJoinedByOneWhoSendsMoreThanTwiceTheLimit) {
  const std::vector<DemoCaller> all = Callers(true);
  ASSERT_THAT(all, SizeIs(5));
  EXPECT_TRUE(all.back().floods);
  EXPECT_GT(all.back().load.rate.PerSecond(), 2 * kDemoLimit);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE(all[i].floods);
}

TEST(DemoCallersTest, HaveALimitEach) {
  std::set<std::string> names;
  for (const DemoCaller& caller : Callers(true)) {
    ASSERT_THAT(caller.load.headers, SizeIs(1));
    EXPECT_TRUE(caller.load.headers.front().starts_with("x-user-id: "));
    names.insert(caller.load.headers.front());
  }
  EXPECT_THAT(names, SizeIs(5));
}

TEST(DemoCallersTest, DoNotComeInStep) {
  std::set<std::uint64_t> seeds;
  for (const DemoCaller& caller : Callers(false)) {
    EXPECT_EQ(caller.load.arrivals, Arrivals::Kind::kPoisson);
    seeds.insert(caller.load.seed);
  }
  EXPECT_THAT(seeds, SizeIs(4));
}

TEST(DemoCallersTest, CallTheGatewayForTheWholePhaseAndOnlyRead) {
  for (const DemoCaller& caller : Callers(true)) {
    EXPECT_EQ(caller.load.authority, "127.0.0.1:8080");
    EXPECT_EQ(caller.load.duration, Duration(3s));
    EXPECT_THAT(caller.load.methods, Each(Field(&Portion::what, "GET")));
  }
}

// The route's deadline is 2 s: a caller who gives up earlier would count what the gateway answers.
TEST(DemoCallersTest, WaitForTheGatewaysAnswer) {
  for (const DemoCaller& caller : Callers(true)) EXPECT_GT(caller.load.timeout, Duration(2s));
}

TEST(DemoCallersTest, ChooseAmongAllTheirPaths) {
  for (const DemoCaller& caller : Callers(true)) {
    double sum = 0;
    for (const Portion& path : caller.load.paths) sum += path.share;
    EXPECT_DOUBLE_EQ(sum, 1);
  }
}

}  // namespace
}  // namespace hale::app
