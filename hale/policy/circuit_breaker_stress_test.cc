#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "hale/policy/circuit_breaker.h"

namespace hale::policy {
namespace {

class Counter final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    counts[static_cast<std::size_t>(event.kind)].fetch_add(1);
  }
  int Count(EventKind kind) const { return counts[static_cast<std::size_t>(kind)].load(); }
  std::array<std::atomic<int>, static_cast<std::size_t>(EventKind::kCount)> counts{};
};

class CircuitBreakerStressTest : public testing::Test {
 protected:
  /// Runs f(thread) on so many threads that start together.
  template <class F>
  void Race(int threads, F f) {
    std::barrier start(threads);
    std::vector<std::jthread> pool;
    for (int i = 0; i < threads; ++i) {
      pool.emplace_back([&, i] {
        start.arrive_and_wait();
        f(i);
      });
    }
  }
  void Trip() {
    for (int i = 0; i < 4; ++i) breaker_.Admit()->Settle(Outcome::kFailure);
  }

  CircuitBreakerOptions options_{
      .minimum_calls = 4, .consecutive_failures = 0, .jitter = 0, .probes = 10, .ramp = 0s};
  SimClock clock_;
  Counter events_;
  CircuitBreaker breaker_{options_, {.events = events_, .clock = clock_}};
};

TEST_F(CircuitBreakerStressTest, HalfOpenNeverAdmitsMoreThanItsProbesToFiftyThreads) {
  for (int round = 0; round < 50; ++round) {
    Trip();
    clock_.Advance(5s);
    std::atomic<int> admitted = 0;
    std::vector<CircuitPermit> permits(50);
    Race(50, [&](int i) {
      auto permit = breaker_.Admit();
      if (!permit) return;
      ++admitted;
      permits[static_cast<std::size_t>(i)] = std::move(*permit);
    });
    ASSERT_EQ(admitted, 10);
    for (CircuitPermit& permit : permits) permit.Settle(Outcome::kSuccess);
    ASSERT_EQ(breaker_.state(), CircuitState::kClosed);
  }
}

TEST_F(CircuitBreakerStressTest, ThreadsThatTripTogetherOpenItOnce) {
  for (int round = 1; round <= 100; ++round) {
    std::vector<CircuitPermit> permits;
    for (int i = 0; i < 8; ++i) permits.push_back(*breaker_.Admit());
    std::atomic<int> stale = 0;
    Race(8, [&](int i) {
      permits[static_cast<std::size_t>(i)].Settle(Outcome::kFailure);
      const auto next = breaker_.Admit();
      // Open with the rest of an earlier opening would let this one probe at once.
      if (next && breaker_.state() == CircuitState::kHalfOpen) ++stale;
    });
    ASSERT_EQ(events_.Count(EventKind::kOpened), round);
    ASSERT_EQ(stale, 0);
    breaker_.Reset();
  }
}

TEST_F(CircuitBreakerStressTest, CountsAreConservedWhateverHappens) {
  std::atomic<std::uint64_t> admitted = 0;
  std::atomic<std::uint64_t> refused = 0;
  Race(6, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < 200'000; ++i) {
      if (thread == 0) clock_.Advance(random.Between(0ns, 20ms));
      if (thread == 1 && i % 500 == 0) breaker_.Reset();
      if (thread == 2 && i % 700 == 0) breaker_.Apply(options_);
      if (thread == 3 && i % 900 == 0) breaker_.Force({.ttl = 10ms, .why = "stress"});
      if (thread == 4 && i % 300 == 0) breaker_.EvidenceOfLife();
      auto permit = breaker_.Admit();
      (permit ? admitted : refused).fetch_add(1);
      if (permit) permit->Settle(static_cast<Outcome>(random.Below(3)));
    }
  });
  const CircuitTotals t = breaker_.Status().totals;
  EXPECT_EQ(t.admitted, admitted.load());
  EXPECT_EQ(t.refused, refused.load());
  EXPECT_EQ(t.admitted, t.succeeded + t.failed + t.slow + t.ignored + t.late);
}

TEST_F(CircuitBreakerStressTest, ThreadsBeyondTheLanesShareOne) {
  constexpr int kThreads = 14;
  constexpr int kCalls = 200'000;
  Race(kThreads, [&](int) {
    for (int i = 0; i < kCalls; ++i) breaker_.Admit()->Settle(Outcome::kSuccess);
  });
  const CircuitStatus status = breaker_.Status();
  EXPECT_EQ(status.totals.admitted, kThreads * kCalls);
  EXPECT_EQ(status.evidence.good, kThreads * kCalls);
}

TEST_F(CircuitBreakerStressTest, IsSmallWithTwoLoopsAndWithEight) {
  const auto bytes_with = [this](int threads) {
    CircuitBreaker breaker(options_, {.clock = clock_});
    std::barrier all_have_one(threads);
    Race(threads, [&](int) {
      breaker.Admit()->Settle(Outcome::kSuccess);
      all_have_one.arrive_and_wait();
    });
    return breaker.bytes();
  };
  EXPECT_LE(bytes_with(2), 1280U);
  EXPECT_LE(bytes_with(8), 2048U);
}

TEST_F(CircuitBreakerStressTest, ApplyUnderLoadLosesAndDoublesNothing) {
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> calls = 0;
  Race(4, [&](int thread) {
    for (std::uint32_t i = 0; thread == 0 && (i < 500 || calls < 10'000); ++i) {
      CircuitBreakerOptions other = options_;
      other.buckets = 10 + i % 23;
      other.window = 10s + 1s * (i % 7);
      breaker_.Apply(other);
    }
    if (thread == 0) done = true;
    for (; !done; ++calls) breaker_.Admit()->Settle(Outcome::kSuccess);
  });
  const CircuitStatus status = breaker_.Status();
  EXPECT_EQ(status.totals.succeeded, calls);
  EXPECT_EQ(status.evidence.good, calls);
  EXPECT_EQ(status.evidence.hung, 0U);
}

}  // namespace
}  // namespace hale::policy
