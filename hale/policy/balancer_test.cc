#include "hale/policy/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hale::policy {
namespace {

class BalancerTest : public testing::Test {
 protected:
  void Add(double weight, TimePoint since = TimePoint::min()) {
    candidates_.push_back({.load = &loads_.emplace_back(), .weight = weight, .since = since});
  }
  void Make(BalanceKind kind, Duration slow_start = 10s) {
    balancer_.Apply({.kind = kind, .slow_start = slow_start});
  }
  std::optional<std::size_t> Pick() { return balancer_.Pick(candidates_, random_, now_); }
  /// How often each is picked in so many.
  std::map<std::size_t, int> Picks(int count) {
    std::map<std::size_t, int> picks;
    for (int i = 0; i < count; ++i) ++picks[Pick().value()];
    return picks;
  }
  std::string Sequence(int count) {
    std::string sequence;
    for (int i = 0; i < count; ++i) sequence += static_cast<char>('a' + Pick().value());
    return sequence;
  }
  void Answer(std::size_t who, Duration latency, Outcome outcome = Outcome::kSuccess) {
    loads_[who].Start().Settle(outcome, latency, now_);
  }

  std::deque<Load> loads_;
  std::vector<Candidate> candidates_;
  Balancer balancer_;
  SeededRandom random_{5};
  TimePoint now_{1h};
};

class AnyBalancerTest : public BalancerTest, public testing::WithParamInterface<BalanceKind> {
 protected:
  AnyBalancerTest() { Make(GetParam()); }
};

TEST_P(AnyBalancerTest, PicksNobodyOfNone) { EXPECT_FALSE(Pick()); }

TEST_P(AnyBalancerTest, PicksTheOnlyOne) {
  Add(0.01);
  EXPECT_EQ(Picks(100)[0], 100);
}

TEST_P(AnyBalancerTest, NeverPicksWhatHasNoWeight) {
  for (const double weight : {0.0, 1.0, 0.0, 0.0, 0.0, 0.0}) Add(weight);
  EXPECT_EQ(Picks(100)[1], 100);
}

TEST_P(AnyBalancerTest, PicksNobodyWhenNoneHasWeight) {
  for (int i = 0; i < 3; ++i) Add(0);
  EXPECT_FALSE(Pick());
}

TEST_P(AnyBalancerTest, GivesEqualsTheSame) {
  for (int i = 0; i < 5; ++i) Add(1);
  auto picks = Picks(10'000);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(picks[i], 2000, 200);
}

TEST_P(AnyBalancerTest, BeginsSlowlyWithWhoHasJustJoined) {
  for (int i = 0; i < 9; ++i) Add(1);
  Add(1, now_);
  EXPECT_NEAR(Picks(10'000)[9], 110, 50);  // 0.1 of 9.1
  now_ += 5s;
  EXPECT_NEAR(Picks(10'000)[9], 526, 120);  // 0.5 of 9.5
  now_ += 5s;
  EXPECT_NEAR(Picks(10'000)[9], 1000, 150);
}

INSTANTIATE_TEST_SUITE_P(All, AnyBalancerTest,
                         testing::Values(BalanceKind::kP2c, BalanceKind::kRoundRobin,
                                         BalanceKind::kWeighted, BalanceKind::kLeastRequest,
                                         BalanceKind::kMaglev),
                         [](const auto& each) {
                           return std::string(Names(Type<BalanceKind>{})[each.index].word);
                         });

TEST_F(BalancerTest, GoesRound) {
  Make(BalanceKind::kRoundRobin);
  for (int i = 0; i < 3; ++i) Add(1);
  EXPECT_EQ(Sequence(9), "abcabcabc");
}

TEST_F(BalancerTest, GoesRoundWhateverTheWeight) {
  Make(BalanceKind::kRoundRobin);
  for (const double weight : {1.0, 100.0, 0.5}) Add(weight);
  EXPECT_EQ(Sequence(6), "abcabc");
}

TEST_F(BalancerTest, GivesEachItsShareByWeight) {
  Make(BalanceKind::kWeighted);
  for (const double weight : {5.0, 1.0, 1.0, 0.5}) Add(weight);
  auto picks = Picks(7500);
  EXPECT_NEAR(picks[0], 5000, 5);
  EXPECT_NEAR(picks[1], 1000, 5);
  EXPECT_NEAR(picks[2], 1000, 5);
  EXPECT_NEAR(picks[3], 500, 5);
}

TEST_F(BalancerTest, MixesTheLightAmongTheHeavy) {
  Make(BalanceKind::kWeighted);
  for (const double weight : {5.0, 1.0, 1.0}) Add(weight);
  const std::string sequence = Sequence(700);
  // Of five and two the longest run is three when mixed as well as can be.
  EXPECT_EQ(sequence.find("aaaa"), std::string::npos);
  EXPECT_EQ(sequence.find("bc"), std::string::npos);
}

TEST_F(BalancerTest, TurnsAsItsPageSays) {
  Make(BalanceKind::kWeighted);
  for (const double weight : {5.0, 1.0, 1.0}) Add(weight);
  EXPECT_EQ(Sequence(7), "aabaaca");
}

TEST_F(BalancerTest, EndsAlsoWithWeightsThatAreFarApart) {
  Make(BalanceKind::kWeighted);
  Add(1000);
  for (int i = 0; i < 50; ++i) Add(0.001);
  EXPECT_GT(Picks(10'000)[0], 9990);
}

TEST_F(BalancerTest, GoesRoundByWhatNarrowingLeaves) {
  Make(BalanceKind::kRoundRobin);
  for (const double share : {1.0, 0.5, 0.0}) {
    Add(7 * share);
    candidates_.back().share = share;
  }
  auto picks = Picks(300);
  EXPECT_NEAR(picks[0], 200, 2);
  EXPECT_NEAR(picks[1], 100, 2);
}

TEST_F(BalancerTest, PrefersTheFasterOfTwo) {
  for (int i = 0; i < 2; ++i) Add(1);
  Answer(0, 5ms);
  Answer(1, 10ms);
  EXPECT_EQ(Picks(100)[0], 100);
}

TEST_F(BalancerTest, PrefersTheLessBusyOfTwo) {
  for (int i = 0; i < 2; ++i) Add(1);
  Answer(0, 5ms);
  Answer(1, 10ms);
  const auto one = loads_[0].Start();
  const auto two = loads_[0].Start();
  EXPECT_EQ(Picks(100)[1], 100);  // 5 ms × (2 + 1) against 10 ms × 1
}

TEST_F(BalancerTest, SharesAnIdleSetByWeight) {
  Add(1);
  Add(3);
  for (std::size_t i = 0; i < 2; ++i) Answer(i, 5ms);
  EXPECT_NEAR(Picks(4000)[1], 3000, 150);
}

TEST_F(BalancerTest, PutsCallsInFlightInProportionToWeight) {
  Add(1);
  Add(3);
  for (std::size_t i = 0; i < 2; ++i) Answer(i, 5ms);
  std::vector<Load::Token> out;
  for (int i = 0; i < 400; ++i) out.push_back(loads_[Pick().value()].Start());
  EXPECT_NEAR(loads_[1].in_flight(), 300, 5);
}

TEST_F(BalancerTest, PrefersTheOneThatDoesNotFail) {
  for (int i = 0; i < 2; ++i) Add(1);
  for (std::size_t i = 0; i < 2; ++i) Answer(i, 5ms);
  for (int i = 0; i < 5; ++i) Answer(0, 100us, Outcome::kFailure);
  EXPECT_EQ(Picks(100)[1], 100);
}

TEST_F(BalancerTest, ComparesCallsInFlightWhileALatencyIsNotKnown) {
  for (int i = 0; i < 2; ++i) Add(1);
  Answer(0, 1us);
  const auto busy = loads_[0].Start();
  EXPECT_EQ(Picks(100)[1], 100);
  const auto one = loads_[1].Start();
  const auto two = loads_[1].Start();
  EXPECT_EQ(Picks(100)[0], 100);
}

TEST_F(BalancerTest, NeverPicksTheWorstOfThree) {
  for (int i = 0; i < 3; ++i) Add(1);
  Answer(0, 1ms);
  Answer(1, 2ms);
  Answer(2, 3ms);
  auto picks = Picks(3000);
  EXPECT_NEAR(picks[0], 2000, 120);
  EXPECT_NEAR(picks[1], 1000, 120);
  EXPECT_EQ(picks[2], 0);
}

TEST_F(BalancerTest, DrawsTwoDifferentOnesByWeight) {
  for (const double weight : {2.0, 1.0, 1.0}) Add(weight);
  Answer(0, 2ms);
  Answer(1, 1ms);
  Answer(2, 3ms);
  auto picks = Picks(12'000);
  EXPECT_NEAR(picks[0], 5000, 200);  // drawn together with the third
  EXPECT_NEAR(picks[1], 7000, 200);  // with any other
  EXPECT_EQ(picks[2], 0);
}

class LeastRequestTest : public BalancerTest {
 protected:
  LeastRequestTest() { Make(BalanceKind::kLeastRequest); }
};

TEST_F(LeastRequestTest, PicksTheLeastBusyOfAll) {
  for (int i = 0; i < 10; ++i) Add(1);
  std::vector<Load::Token> out;
  for (std::size_t i = 0; i < 10; ++i) {
    if (i != 7) out.push_back(loads_[i].Start());
  }
  EXPECT_EQ(Picks(100)[7], 100);
}

TEST_F(LeastRequestTest, PutsCallsInFlightInProportionToWeight) {
  Add(1);
  Add(3);
  std::vector<Load::Token> out;
  for (int i = 0; i < 400; ++i) out.push_back(loads_[Pick().value()].Start());
  EXPECT_NEAR(loads_[1].in_flight(), 300, 1);
}

TEST_F(LeastRequestTest, SharesAnIdleSetByWeight) {
  Add(1);
  Add(3);
  EXPECT_NEAR(Picks(4000)[1], 3000, 150);
}

TEST_F(LeastRequestTest, DoesNotLookAtLatency) {
  for (int i = 0; i < 2; ++i) Add(1);
  Answer(0, 1ms);
  Answer(1, 1s);
  EXPECT_NEAR(Picks(1000)[0], 500, 80);
}

TEST_F(LeastRequestTest, PrefersTheOneThatDoesNotFail) {
  for (int i = 0; i < 2; ++i) Add(1);
  for (int i = 0; i < 5; ++i) Answer(0, 100us, Outcome::kFailure);
  EXPECT_EQ(Picks(100)[1], 100);
}

TEST_F(LeastRequestTest, IsNotMisledByWhoHasNoWeight) {
  for (const double weight : {1.0, 0.0, 1.0}) Add(weight);
  const auto busy = loads_[2].Start();
  EXPECT_EQ(Picks(100)[0], 100);
}

/// Candidates with their places in a table, as a service has them.
class MaglevPickTest : public BalancerTest {
 protected:
  explicit MaglevPickTest(std::size_t count = 5) {
    Make(BalanceKind::kMaglev);
    for (std::size_t i = 0; i < count; ++i) {
      Add(1);
      index_.push_back(static_cast<std::uint32_t>(i));
      entries_.push_back({MaglevId("host" + std::to_string(i)), 1});
    }
    table_ = MaglevTable(entries_);
  }
  /// The entry that a key's call goes to.
  std::uint32_t PickFor(std::uint64_t key) {
    const Affinity affinity{table_, key, index_};
    return index_[balancer_.Pick(candidates_, random_, now_, &affinity).value()];
  }
  void Remove(std::size_t i) {
    candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(i));
    index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::uint32_t Home(std::uint64_t key) const { return table_.At(table_.SlotOf(key)); }

  std::vector<MaglevEntry> entries_;
  std::vector<std::uint32_t> index_;
  MaglevTable table_;
};

TEST_F(MaglevPickTest, KeepsAKeyWhereItIs) {
  for (std::uint64_t key = 0; key < 100; ++key) {
    for (int i = 0; i < 5; ++i) ASSERT_EQ(PickFor(key * 7919), Home(key * 7919));
  }
}

TEST_F(MaglevPickTest, KeepsAKeyWhenOthersAreOut) {
  Remove(2);
  std::vector<int> moved(5);
  for (std::uint64_t key = 0; key < 65'000; ++key) {
    if (Home(key) == 2) ++moved[PickFor(key)];
    ASSERT_TRUE(Home(key) == 2 || PickFor(key) == Home(key));
  }
  EXPECT_EQ(moved[2], 0);
  for (const std::size_t i : {0, 1, 3, 4}) EXPECT_NEAR(moved[i], 13'000 / 4.0, 500);
}

TEST_F(MaglevPickTest, SendsAKeyToItsNextWhenItsOwnIsFull) {
  std::vector<Load::Token> out;
  for (int i = 0; i < 40; ++i) out.push_back(loads_[Home(1)].Start());
  const std::uint32_t other = PickFor(1);
  EXPECT_NE(other, Home(1));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(PickFor(1), other);
}

TEST_F(MaglevPickTest, KeepsAKeyWhileFewCallsAreInFlight) {
  std::vector<Load::Token> out;
  for (std::uint32_t i = 0; i < kNeverFull; ++i) {
    ASSERT_EQ(PickFor(1), Home(1));
    out.push_back(loads_[Home(1)].Start());
  }
  EXPECT_NE(PickFor(1), Home(1));
}

TEST_F(MaglevPickTest, GivesNoKeyToWhoHasNoWeight) {
  candidates_[Home(1)].weight = 0;
  EXPECT_NE(PickFor(1), Home(1));
}

TEST_F(MaglevPickTest, HasRoomInProportionToWeight) {
  candidates_[Home(1)].weight = 6;
  std::vector<Load::Token> out;
  for (int i = 0; i < 400; ++i) out.push_back(loads_[PickFor(1)].Start());
  EXPECT_EQ(loads_[Home(1)].in_flight(), 300U);  // 1.25 × 400 × 6 / 10
}

TEST_F(MaglevPickTest, KeepsOneHotKeyWithinTheBound) {
  std::vector<Load::Token> out;
  for (int i = 0; i < 400; ++i) out.push_back(loads_[PickFor(1)].Start());
  for (const Load& load : loads_) EXPECT_LE(load.in_flight(), 100U);  // 1.25 × 400 / 5
}

TEST_F(MaglevPickTest, AllowsMoreWithAHigherBound) {
  balancer_.Apply({.kind = BalanceKind::kMaglev, .bound = 4});
  std::vector<Load::Token> out;
  for (int i = 0; i < 400; ++i) out.push_back(loads_[PickFor(1)].Start());
  EXPECT_NEAR(loads_[Home(1)].in_flight(), 320, 2);
}

TEST_F(MaglevPickTest, PicksWithoutAKeyAsP2c) {
  Answer(0, 1ms);
  for (std::size_t i = 1; i < 5; ++i) Answer(i, 2ms);
  EXPECT_NEAR(Picks(1000)[0], 400, 60);
}

TEST_F(MaglevPickTest, PicksAnybodyWhenNobodyOfItsOwnIsThere) {
  for (std::uint32_t& entry : index_) entry += 100;
  EXPECT_GE(PickFor(1), 100U);
}

class ReportsTest : public BalancerTest {
 protected:
  void Use(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Add(1);
      candidates_.back().reported = &reported_.emplace_back();
    }
  }
  std::deque<ReportedLoad> reported_;
};

TEST_F(ReportsTest, PreferWhoSaysThatItIsIdle) {
  Use(2);
  reported_[0].Report(0.9, now_);
  reported_[1].Report(0.3, now_);
  EXPECT_EQ(Picks(100)[1], 100);
  Make(BalanceKind::kLeastRequest);
  EXPECT_EQ(Picks(100)[1], 100);
}

TEST_F(ReportsTest, WeighAgainstCallsInFlight) {
  Use(2);
  reported_[0].Report(0.9, now_);
  reported_[1].Report(0.3, now_);
  std::vector<Load::Token> out;
  for (int i = 0; i < 3; ++i) out.push_back(loads_[1].Start());
  EXPECT_EQ(Picks(100)[0], 100);  // 0.9 × 1 against 0.3 × 4
}

TEST_F(ReportsTest, NeitherAttractNorRepelWhoMakesNone) {
  for (const auto kind : {BalanceKind::kP2c, BalanceKind::kLeastRequest}) {
    Make(kind);
    candidates_.clear();
    Use(3);
    for (std::size_t i = 0; i < 2; ++i) reported_[reported_.size() - 1 - i].Report(0.2, now_);
    EXPECT_NEAR(Picks(3000)[0], 1000, 150);
  }
}

TEST_F(ReportsTest, SayTheSameWhateverTheirAge) {
  Make(BalanceKind::kLeastRequest);
  Use(3);
  reported_[0].Report(0.5, now_ - 15s);
  reported_[1].Report(0.5, now_);
  auto picks = Picks(3000);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(picks[i], 1000, 150);
}

TEST_F(ReportsTest, FadeWhileNobodyMakesThem) {
  Use(2);
  reported_[0].Report(8, now_);
  reported_[1].Report(0.2, now_);
  now_ += 31s;
  EXPECT_NEAR(Picks(1000)[0], 500, 80);
}

TEST_F(ReportsTest, AreBoundedInWhatTheyCan) {
  Use(2);
  reported_[0].Report(1000, now_);
  reported_[1].Report(0, now_);
  std::vector<Load::Token> out;
  for (int i = 0; i < 64; ++i) out.push_back(loads_[1].Start());
  EXPECT_EQ(Picks(100)[0], 100);  // 8 × 1 against 1/8 × 65
}

/// A closed loop of calls in virtual time: host 0 fails in 100 µs, the others answer in 10 ms.
class SinkholeTest : public BalancerTest {
 protected:
  static constexpr int kHosts = 10;
  static constexpr int kCalls = 20'000;

  /// The share of calls that host 0 gets; `outcome` is what its answers are counted as.
  double ShareOfTheFastHost(Outcome outcome) {
    struct Call {
      TimePoint ends;
      std::size_t host;
      Duration latency;
      Load::Token token;
      bool operator<(const Call& other) const { return ends > other.ends; }
    };
    for (int i = 0; i < kHosts; ++i) Add(1);
    std::vector<Call> out;
    int fast = 0;
    for (int i = 0; i < kCalls; ++i) {
      now_ += 200us;  // 5,000 calls/s: 50 in flight
      while (!out.empty() && out.front().ends <= now_) {
        std::ranges::pop_heap(out, std::less<>());
        Call& call = out.back();
        call.token.Settle(call.host == 0 ? outcome : Outcome::kSuccess, call.latency, now_);
        out.pop_back();
      }
      const std::size_t host = Pick().value();
      const Duration latency = host == 0 ? 100us : 10ms;
      fast += host == 0 ? 1 : 0;
      out.push_back({now_ + latency, host, latency, loads_[host].Start()});
      std::ranges::push_heap(out, std::less<>());
    }
    return static_cast<double>(fast) / kCalls;
  }
};

TEST_F(SinkholeTest, IsBoundedByTwoOfNWhateverItSeems) {
  // Even when its failures look like the best of answers.
  const double share = ShareOfTheFastHost(Outcome::kSuccess);
  EXPECT_GT(share, 0.15);
  EXPECT_LT(share, 2.0 / kHosts + 0.02);
}

TEST_F(SinkholeTest, LosesItsAttractionByFailing) {
  EXPECT_LT(ShareOfTheFastHost(Outcome::kFailure), 0.5 / kHosts);
}

TEST_F(SinkholeTest, LosesItsAttractionAlsoWhenAllAreLookedAt) {
  Make(BalanceKind::kLeastRequest);
  EXPECT_LT(ShareOfTheFastHost(Outcome::kFailure), 0.5 / kHosts);
}

TEST_F(BalancerTest, IsOfTheKindThatItWasMadeAs) {
  for (int i = 0; i < 4; ++i) Add(1);
  Balancer turns({.kind = BalanceKind::kRoundRobin});
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(turns.Pick(candidates_, random_, now_), i % 4);
}

TEST_F(BalancerTest, ChangesItsKindWhileItRuns) {
  for (int i = 0; i < 3; ++i) Add(1);
  Answer(0, 1ms);
  Answer(1, 2ms);
  Answer(2, 3ms);
  Make(BalanceKind::kRoundRobin);
  EXPECT_EQ(Picks(300)[2], 100);
}

TEST_F(BalancerTest, HasNoRampWithoutAWindow) {
  Make(BalanceKind::kRoundRobin, 0s);
  Add(1);
  Add(1, now_);
  EXPECT_EQ(Picks(100)[1], 50);
}

}  // namespace
}  // namespace hale::policy
