#include "hale/mesh/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace hale::mesh {
namespace {

class ServiceTest : public ::testing::Test, protected EventSink {
 protected:
  struct Told {
    EventKind kind;
    std::string instance;
  };

  void On(const Event& event) noexcept override {
    told_.push_back({event.kind, std::string(event.instance)});
  }
  static ServiceOptions Options() {
    ServiceOptions options;
    options.breaker.jitter = 0;
    return options;
  }
  static cluster::Instances Set(std::initializer_list<const char*> addresses) {
    std::vector<cluster::Instance> all;
    for (const char* address : addresses) all.push_back({.address = address});
    return cluster::Instances(std::move(all));
  }
  void Use(std::initializer_list<const char*> addresses) {
    service_.SetInstances(Set(addresses), clock_.Now());
  }
  std::expected<guard::Lease, Rejection> Pick(const guard::Tried& tried = {}) {
    return service_.Pick({tried, clock_.Now(), Duration::zero(), random_});
  }
  /// Whom many picks go to.
  std::set<std::string> Picked(int picks = 200) {
    std::set<std::string> names;
    for (int i = 0; i < picks; ++i) {
      if (const auto lease = Pick()) names.emplace(lease->instance());
    }
    return names;
  }
  Member& Of(std::string_view address) {
    for (const auto& member : service_.members()->members) {
      if (member->address() == address) return *member;
    }
    ADD_FAILURE() << "no member " << address;
    std::abort();
  }
  void Open(std::string_view address) {
    for (int i = 0; i < 5; ++i) {
      auto permit = Of(address).breaker().Admit(clock_.Now());
      if (permit) permit->Settle(Outcome::kFailure, clock_.Now());
    }
  }
  void ShadowBreakers() {
    ServiceOptions options = Options();
    options.breaker.mode = policy::Mode::kShadow;
    service_.Apply(options, clock_.Now());
  }
  void Judge() { service_.Judge(clock_.Now(), random_); }
  bool HasTold(EventKind kind, std::string_view instance = {}) const {
    for (const Told& told : told_) {
      if (told.kind == kind && told.instance == instance) return true;
    }
    return false;
  }

  SimClock clock_;
  SeededRandom random_{5};
  std::vector<Told> told_;
  Service service_{"orders", Options(), {clock_, *this}};
};

TEST_F(ServiceTest, HasNoInstanceBeforeItKnowsAny) {
  EXPECT_EQ(Pick().error().reason, Reason::kNoInstance);
}

TEST_F(ServiceTest, IsToBeSparedWhileACircuitIsNotClosed) {
  Use({"a:1", "b:1"});
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kNone);
  Open("b:1");
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kCircuitOpen);
  clock_.Advance(5s);
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kCircuitOpen);  // half-open
}

TEST_F(ServiceTest, IsNotSparedBecauseAnOperatorHoldsACircuitClosed) {
  Use({"a:1", "b:1"});
  Of("b:1").breaker().Force(
      {.state = policy::CircuitState::kForcedClosed, .ttl = 1h, .why = "trust me"}, clock_.Now());
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kNone);
  Of("b:1").breaker().Force({.state = policy::CircuitState::kForcedOpen, .ttl = 1h, .why = "gone"},
                            clock_.Now());
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kCircuitOpen);
}

TEST_F(ServiceTest, IsNotSparedForACircuitInShadow) {
  Use({"a:1", "b:1"});
  ShadowBreakers();
  Open("b:1");
  ASSERT_EQ(Of("b:1").breaker().state(clock_.Now()), policy::CircuitState::kOpen);
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kNone);
}

TEST_F(ServiceTest, LeavesNobodyOutForACircuitInShadow) {
  Use({"a:1", "b:1", "c:1", "d:1"});
  ShadowBreakers();
  Open("b:1");
  Judge();
  EXPECT_FALSE(HasTold(EventKind::kEjected, "b:1"));
  EXPECT_EQ(Of("b:1").verdict().use(), policy::Use::kNormal);
}

TEST_F(ServiceTest, LeavesOutWhomAnOrderHoldsOpenInShadowToo) {
  Use({"a:1", "b:1", "c:1", "d:1"});
  ShadowBreakers();
  Of("b:1").breaker().Force({.ttl = 1h, .why = "gone"}, clock_.Now());
  Judge();
  EXPECT_TRUE(HasTold(EventKind::kEjected, "b:1"));
  EXPECT_EQ(Picked(), (std::set<std::string>{"a:1", "c:1", "d:1"}));
}

TEST_F(ServiceTest, IsToBeSparedInPanic) {
  Use({"a:1", "b:1", "c:1"});
  for (const char* address : {"a:1", "b:1"})
    service_.OnHealth(address, cluster::Health::kUnhealthy);
  clock_.Advance(1s);
  Judge();
  ASSERT_TRUE(service_.panic());
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kPanic);
}

TEST_F(ServiceTest, AppliesItsHedgeAndItsDeadline) {
  ServiceOptions options = Options();
  options.hedge.mode = policy::Mode::kEnforce;
  options.deadline.mode = policy::Mode::kOff;
  service_.Apply(options, clock_.Now());
  EXPECT_EQ(service_.hedge().mode(), policy::Mode::kEnforce);
  EXPECT_EQ(service_.gate().mode(), policy::Mode::kOff);
}

TEST_F(ServiceTest, SharesTheReserveOfItsBudgetWithItsFleet) {
  EXPECT_EQ(service_.budget().reserve(), 10);
  service_.SetFleet(5);
  EXPECT_EQ(service_.budget().reserve(), 2);
  service_.Apply(Options(), clock_.Now());
  EXPECT_EQ(service_.budget().reserve(), 2);
  service_.SetFleet(0);
  EXPECT_EQ(service_.budget().reserve(), 10);
}

TEST_F(ServiceTest, PicksAmongAllItsInstances) {
  Use({"a:1", "b:1", "c:1"});
  EXPECT_EQ(Picked(), (std::set<std::string>{"a:1", "b:1", "c:1"}));
}

TEST_F(ServiceTest, PicksOneThatHasNotBeenTried) {
  Use({"a:1", "b:1"});
  guard::Tried tried;
  tried.Add(Of("a:1"));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Pick(tried)->instance(), "b:1");
}

TEST_F(ServiceTest, PicksOneThatHasBeenTriedRatherThanNone) {
  Use({"a:1"});
  guard::Tried tried;
  tried.Add(Of("a:1"));
  EXPECT_EQ(Pick(tried)->instance(), "a:1");
}

TEST_F(ServiceTest, RacesOnlyToOneThatHasNotBeenTried) {
  Use({"a:1"});
  guard::Tried tried;
  tried.Add(Of("a:1"));
  const guard::Wanted wanted{tried, clock_.Now(), Duration::zero(), random_};
  EXPECT_FALSE(service_.PickOther(wanted));
}

TEST_F(ServiceTest, WhetherThereIsAnotherOneIsAskedOfNobody) {
  Use({"a:1", "b:1"});
  guard::Tried tried;
  tried.Add(Of("a:1"));
  const guard::Wanted wanted{tried, clock_.Now(), Duration::zero(), random_};
  EXPECT_TRUE(service_.HasOther(wanted));
  EXPECT_EQ(Of("b:1").breaker().Status(clock_.Now()).totals.admitted, 0U);
  Open("b:1");
  EXPECT_FALSE(service_.HasOther(wanted));
  EXPECT_EQ(Of("b:1").breaker().Status(clock_.Now()).totals.refused, 0U);
}

TEST_F(ServiceTest, GivesAnInstanceWithoutWeightNoCalls) {
  service_.SetInstances(cluster::Instances({{.address = "a:1", .weight = 0}, {.address = "b:1"}}),
                        clock_.Now());
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1"}));
}

TEST_F(ServiceTest, HasNoInstanceWhenNoneHasWeight) {
  service_.SetInstances(cluster::Instances({{.address = "a:1", .weight = 0}}), clock_.Now());
  EXPECT_EQ(Pick().error().reason, Reason::kNoInstance);
}

TEST_F(ServiceTest, PassesOverAnInstanceWhoseCircuitIsOpen) {
  Use({"a:1", "b:1"});
  Open("a:1");
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1"}));
}

TEST_F(ServiceTest, SaysCircuitOpenWhenAllAreOpen) {
  Use({"a:1", "b:1"});
  Open("a:1");
  Open("b:1");
  Judge();
  EXPECT_EQ(Pick().error().reason, Reason::kCircuitOpen);
}

TEST_F(ServiceTest, SaysWhenTheFirstOfTheOpenCircuitsAdmitsAProbe) {
  Use({"a:1", "b:1"});
  Open("a:1");
  clock_.Advance(1s);
  Open("b:1");
  const Duration left = Of("a:1").breaker().admits_from() - clock_.Now();
  EXPECT_GT(left, 3s);
  EXPECT_LT(left, Of("b:1").breaker().admits_from() - clock_.Now());
  EXPECT_EQ(Pick().error().retry_after, left);
}

TEST_F(ServiceTest, SaysNoInstanceWhenAllAreDead) {
  Use({"a:1", "b:1"});
  service_.OnRefused(Of("a:1"), clock_.Now());
  service_.OnRefused(Of("b:1"), clock_.Now());
  Judge();
  EXPECT_EQ(Pick().error().reason, Reason::kNoInstance);
}

TEST_F(ServiceTest, LeavesOutWhoRefusesAndTakesItBackOnEvidenceOfLife) {
  Use({"a:1", "b:1", "c:1"});
  service_.OnRefused(Of("a:1"), clock_.Now());
  Judge();
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1", "c:1"}));
  EXPECT_TRUE(HasTold(EventKind::kEjected, "a:1"));
  clock_.Advance(100ms);
  service_.OnAlive("a:1", clock_.Now());
  Judge();
  EXPECT_EQ(Picked(2000), (std::set<std::string>{"a:1", "b:1", "c:1"}));
  EXPECT_TRUE(HasTold(EventKind::kReturned, "a:1"));
}

TEST_F(ServiceTest, AsksAtOnceToBeJudgedWhenSomebodyRefuses) {
  int asked = 0;
  service_.set_wake([&] { ++asked; });
  Use({"a:1", "b:1"});
  service_.OnRefused(Of("a:1"), clock_.Now());
  EXPECT_EQ(asked, 1);
  Judge();
  service_.OnRefused(Of("a:1"), clock_.Now());  // it is out already
  EXPECT_EQ(asked, 1);
}

TEST_F(ServiceTest, ProbesWhoIsLeftOutOnceARest) {
  Use({"a:1", "b:1", "c:1"});
  service_.OnRefused(Of("a:1"), clock_.Now());
  Judge();
  EXPECT_TRUE(service_.TakeProbes(clock_.Now(), random_).empty());
  clock_.Advance(2s);  // a rest of 1 s and up to 20 % more
  const auto probes = service_.TakeProbes(clock_.Now(), random_);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_EQ(probes[0]->address(), "a:1");
  EXPECT_TRUE(service_.TakeProbes(clock_.Now(), random_).empty());
}

TEST_F(ServiceTest, TakesCallsForHungSoonerWhereAnswersAreQuick) {
  Use({"a:1"});
  for (int i = 0; i < 1000; ++i) service_.replies().Record(1ms);
  Judge();
  std::vector<policy::CircuitPermit> out;
  for (int i = 0; i < 20; ++i) out.push_back(*Of("a:1").breaker().Admit(clock_.Now()));
  clock_.Advance(3s);  // 2 s, and up to a bucket
  EXPECT_FALSE(Of("a:1").breaker().Admit(clock_.Now()));
}

TEST_F(ServiceTest, AsksTheDeadSoonWhileCallsFindNobody) {
  Use({"a:1"});
  service_.OnRefused(Of("a:1"), clock_.Now());
  Judge();
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(20s);
    ASSERT_EQ(service_.TakeProbes(clock_.Now(), random_).size(), 1U);
  }
  clock_.Advance(1s);
  EXPECT_TRUE(service_.TakeProbes(clock_.Now(), random_).empty());
  EXPECT_FALSE(Pick());
  EXPECT_EQ(service_.TakeProbes(clock_.Now(), random_).size(), 1U);
}

TEST_F(ServiceTest, WakesItsControlLoopOnceForAllCallsThatFindNobody) {
  int woken = 0;
  service_.set_wake([&] { ++woken; });
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Pick());
  EXPECT_EQ(woken, 1);
}

TEST_F(ServiceTest, LeavesOutWhoHasStoppedUntilAByteComes) {
  Use({"a:1", "b:1", "c:1"});
  const auto silent = Of("a:1").pulse().OnSent(clock_.Now());
  clock_.Advance(100ms);
  auto answered = Of("b:1").pulse().OnSent(clock_.Now());
  clock_.Advance(2s);  // beyond any θ of a young process
  answered.Answered(clock_.Now());
  Judge();
  EXPECT_TRUE(HasTold(EventKind::kStalled, "a:1"));
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1", "c:1"}));
  Of("a:1").OnBytes(clock_.Now());
  Judge();
  EXPECT_EQ(Picked(2000), (std::set<std::string>{"a:1", "b:1", "c:1"}));
}

TEST_F(ServiceTest, LeavesAllInWhenAllAreSilent) {
  Use({"a:1", "b:1"});
  const auto one = Of("a:1").pulse().OnSent(clock_.Now());
  const auto two = Of("b:1").pulse().OnSent(clock_.Now());
  clock_.Advance(10s);
  Judge();
  EXPECT_EQ(Picked(), (std::set<std::string>{"a:1", "b:1"}));
}

TEST_F(ServiceTest, TheTrailOfACallSaysThatItsCircuitWouldHaveRefusedIt) {
  struct Trail final : EventSink {
    void On(const Event& event) noexcept override { instances.emplace_back(event.instance); }
    std::vector<std::string> instances;
  };
  Use({"a:1"});
  ShadowBreakers();
  Open("a:1");
  told_.clear();
  Trail trail;
  const guard::Tried tried;
  EXPECT_TRUE(service_.Pick({tried, clock_.Now(), Duration::zero(), random_, 0, &trail}));
  EXPECT_EQ(trail.instances, std::vector<std::string>{"a:1"});
  EXPECT_TRUE(told_.empty());
}

TEST_F(ServiceTest, InShadowSaysWhoHasStoppedAndUsesItStill) {
  ServiceOptions options = Options();
  options.stall.mode = policy::Mode::kShadow;
  service_.Apply(options, clock_.Now());
  Use({"a:1", "b:1"});
  const auto silent = Of("a:1").pulse().OnSent(clock_.Now());
  clock_.Advance(100ms);
  auto answered = Of("b:1").pulse().OnSent(clock_.Now());
  clock_.Advance(2s);
  answered.Answered(clock_.Now());
  Judge();
  EXPECT_TRUE(HasTold(EventKind::kWouldRefuse, "a:1"));
  EXPECT_EQ(Picked(), (std::set<std::string>{"a:1", "b:1"}));
}

TEST_F(ServiceTest, InShadowSaysOnceForEachSilenceWhoHasStopped) {
  ServiceOptions options = Options();
  options.stall.mode = policy::Mode::kShadow;
  service_.Apply(options, clock_.Now());
  Use({"a:1", "b:1"});
  const auto silent = Of("a:1").pulse().OnSent(clock_.Now());
  for (const std::ptrdiff_t silences : {1, 2}) {
    clock_.Advance(100ms);
    Of("b:1").pulse().OnSent(clock_.Now()).Answered(clock_.Now());
    clock_.Advance(2s);
    for (int i = 0; i < 3; ++i) Judge();
    EXPECT_EQ(std::ranges::count(told_, EventKind::kWouldRefuse, &Told::kind), silences);
    Of("a:1").pulse().OnBytes(clock_.Now());
    Judge();
  }
}

TEST_F(ServiceTest, ACheckThatOnlyConnectsDoesNotEndAStall) {
  ServiceOptions options = Options();
  options.health.kind = cluster::HealthKind::kTcp;
  service_.Apply(options, clock_.Now());
  Use({"a:1", "b:1"});
  const auto silent = Of("a:1").pulse().OnSent(clock_.Now());
  Of("a:1").pulse().MarkStalled(Of("a:1").pulse().Read());
  service_.OnAlive("a:1", clock_.Now());
  EXPECT_TRUE(Of("a:1").pulse().stalled());
}

TEST_F(ServiceTest, ACheckThatIsAnsweredEndsAStall) {
  ServiceOptions options = Options();
  options.health.path = "/ready";
  service_.Apply(options, clock_.Now());
  Use({"a:1", "b:1"});
  const auto silent = Of("a:1").pulse().OnSent(clock_.Now());
  Of("a:1").pulse().MarkStalled(Of("a:1").pulse().Read());
  service_.OnAlive("a:1", clock_.Now());
  EXPECT_FALSE(Of("a:1").pulse().stalled());
}

TEST_F(ServiceTest, UsesTheUnhealthyAgainWhenTooFewAreLeft) {
  Use({"a:1", "b:1", "c:1"});
  for (const char* address : {"a:1", "b:1"}) {
    service_.OnHealth(address, cluster::Health::kUnhealthy);
  }
  Judge();
  EXPECT_TRUE(service_.panic());
  EXPECT_TRUE(HasTold(EventKind::kPanic));
  EXPECT_EQ(Picked(2000), (std::set<std::string>{"a:1", "b:1", "c:1"}));
}

TEST_F(ServiceTest, FollowsNoPanicThatIsReachedInShadowOnly) {
  ServiceOptions options = Options();
  options.outlier.mode = policy::Mode::kShadow;
  service_.Apply(options, clock_.Now());
  Use({"a:1", "b:1", "c:1"});
  for (const char* address : {"a:1", "b:1"}) {
    service_.OnHealth(address, cluster::Health::kUnhealthy);
  }
  Judge();
  EXPECT_FALSE(service_.panic());
  EXPECT_EQ(service_.Protects(clock_.Now()), Reason::kNone) << "calls are hedged";
  EXPECT_FALSE(HasTold(EventKind::kPanic));
}

TEST_F(ServiceTest, SaysOnceThatItPanicsAndOnceThatItIsOver) {
  Use({"a:1", "b:1", "c:1"});
  for (const char* address : {"a:1", "b:1"}) {
    service_.OnHealth(address, cluster::Health::kUnhealthy);
  }
  Judge();
  Judge();
  for (const char* address : {"a:1", "b:1"}) {
    service_.OnHealth(address, cluster::Health::kHealthy);
  }
  Judge();
  EXPECT_EQ(std::ranges::count(told_, EventKind::kPanic, &Told::kind), 2);
  EXPECT_FALSE(service_.panic());
}

TEST_F(ServiceTest, RemovingAndAddingIsNoAmnesty) {
  Use({"a:1", "b:1"});
  const Member* before = &Of("a:1");
  Open("a:1");
  Use({"b:1"});
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1"}));
  Use({"a:1", "b:1"});
  EXPECT_EQ(&Of("a:1"), before);
  EXPECT_EQ(Picked(), (std::set<std::string>{"b:1"}));
}

TEST_F(ServiceTest, RemembersWhoLeftForTenMinutesAndNoLonger) {
  Use({"a:1", "b:1"});
  const std::shared_ptr<Member> before = service_.members()->members[0];
  Use({"b:1"});
  clock_.Advance(10min);
  Use({"a:1", "b:1"});
  EXPECT_EQ(&Of("a:1"), before.get());
  Use({"b:1"});
  clock_.Advance(10min + 1ns);
  Use({"a:1", "b:1"});
  EXPECT_NE(&Of("a:1"), before.get());
}

TEST_F(ServiceTest, RemembersABoundedNumberOfThoseWhoLeft) {
  std::vector<cluster::Instance> many;
  for (int i = 0; i < 10'001; ++i) many.push_back({.address = "h:" + std::to_string(10'000 + i)});
  service_.SetInstances(cluster::Instances(many), clock_.Now());
  EXPECT_FALSE(HasTold(EventKind::kBound));  // they are here, not remembered
  Use({"a:1"});
  EXPECT_TRUE(HasTold(EventKind::kBound));
}

TEST_F(ServiceTest, APickedInstanceOutlivesItsLeaving) {
  Use({"a:1"});
  auto lease = Pick();
  Use({});
  clock_.Advance(1h);
  Use({"b:1"});
  EXPECT_EQ(lease->instance(), "a:1");
  lease->Settle(Outcome::kSuccess, clock_.Now());
}

TEST_F(ServiceTest, ApplyingOptionsKeepsWhatIsKnown) {
  Use({"a:1", "b:1"});
  Open("a:1");
  const Member* before = &Of("a:1");
  auto place = service_.bulkhead().TryEnter(clock_.Now());
  ServiceOptions options = Options();
  options.bulkhead.limit = 1;
  options.breaker.failure_rate = 0.9;
  service_.Apply(options, clock_.Now());
  EXPECT_EQ(&Of("a:1"), before);
  EXPECT_EQ(Of("a:1").breaker().state(clock_.Now()), policy::CircuitState::kOpen);
  EXPECT_FALSE(service_.bulkhead().TryEnter(clock_.Now()));
  EXPECT_EQ(service_.options()->breaker.failure_rate, 0.9);
}

class LargeServiceTest : public ServiceTest {
 protected:
  LargeServiceTest() {
    std::vector<cluster::Instance> many;
    for (int i = 100; i < 300; ++i) many.push_back({.address = "h:" + std::to_string(i)});
    service_.SetInstances(cluster::Instances(std::move(many)), clock_.Now());
  }
};

TEST_F(LargeServiceTest, PicksAmongAllOfMany) { EXPECT_GE(Picked(4000).size(), 195U); }

TEST_F(LargeServiceTest, FindsTheLivingWhereverTheyAre) {
  for (int i = 100; i < 299; ++i) {  // neighbours fail together; one is left
    service_.OnRefused(Of("h:" + std::to_string(i)), clock_.Now());
  }
  Judge();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Pick()->instance(), "h:299");
}

TEST_F(LargeServiceTest, FindsTheOneThatHasWeight) {
  std::vector<cluster::Instance> many;
  for (int i = 100; i < 298; ++i) {
    many.push_back({.address = "h:" + std::to_string(i), .weight = 0});
  }
  many.push_back({.address = "h:298", .metadata = {{"group", "0"}}});
  many.push_back({.address = "h:299"});
  ServiceOptions options = Options();
  options.balance.priority.metadata = "group";
  service_.Apply(options, clock_.Now());
  service_.SetInstances(cluster::Instances(std::move(many)), clock_.Now());
  Open("h:298");  // nobody is left of what the set is narrowed to: all are asked
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Pick()->instance(), "h:299");
}

class FullServiceTest : public ServiceTest {
 protected:
  FullServiceTest() {
    ServiceOptions options = Options();
    options.connections = 1;
    service_.Apply(options, clock_.Now());
    Use({"a:1", "b:1"});
  }
  guard::Lease Hold(std::string_view address) {
    auto lease = Pick();
    while (lease && lease->instance() != address) lease = Pick();
    return std::move(*lease);
  }
};

TEST_F(FullServiceTest, AnInstanceThatIsFullIsNotPicked) {
  const guard::Lease a = Hold("a:1");
  EXPECT_EQ(Picked(), std::set<std::string>({"b:1"}));
}

TEST_F(FullServiceTest, ItIsWorthWaitingWhenThoseThatWouldDoAreFull) {
  Open("a:1");
  const guard::Lease b = Hold("b:1");
  const auto refused = Pick();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kConcurrency);
  EXPECT_EQ(refused.error().observed, 1);
}

TEST_F(FullServiceTest, OneThatFailedIsNoBetterThanOneThatWillHaveRoom) {
  const guard::Lease b = Hold("b:1");
  guard::Tried tried;
  tried.Add(Of("a:1"));
  EXPECT_EQ(Pick(tried).error().reason, Reason::kConcurrency);
}

// The other instance was dead as the call began to wait: no call leaves it when it is back.
TEST_F(FullServiceTest, WhoeverWaitsLooksAgainWhenOneIsBack) {
  struct Waiter final : policy::Bulkhead::Waiter {
    void Wake() noexcept override { woken = true; }
    bool woken = false;
  } waiter;
  policy::Bulkhead& bulkhead = service_.bulkhead();
  const auto patience = bulkhead.PatienceFrom(clock_.Now(), 10s, bulkhead.leaves());
  auto place = bulkhead.TryEnter(clock_.Now());
  ASSERT_TRUE(bulkhead.WaitAgain(std::move(*place), waiter, {}, patience, clock_.Now()));
  Judge();
  EXPECT_TRUE(waiter.woken);
  EXPECT_TRUE(*waiter.Take());
}

TEST_F(FullServiceTest, AHigherLimitHoldsAtOnce) {
  const guard::Lease a = Hold("a:1");
  const guard::Lease b = Hold("b:1");
  service_.Apply(Options(), clock_.Now());
  EXPECT_TRUE(Pick());
}

TEST_F(ServiceTest, TellsABreakerHowLongAProbeMayTake) {
  Use({"a:1"});
  Open("a:1");
  clock_.Advance(5s);
  const auto probe = service_.Pick({guard::Tried(), clock_.Now(), 60s, random_});
  ASSERT_TRUE(probe);
  clock_.Advance(30s);
  EXPECT_EQ(Of("a:1").breaker().Status(clock_.Now()).state, policy::CircuitState::kHalfOpen);
}

}  // namespace
}  // namespace hale::mesh
