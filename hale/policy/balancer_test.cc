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
                                         BalanceKind::kWeighted),
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
