#include "hale/policy/keyed_limiter.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace hale::policy {
namespace {

class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

class KeyedLimiterTest : public testing::Test {
 protected:
  KeyedLimiter& limiter() {
    if (!limiter_) {
      limiter_ = std::make_unique<KeyedLimiter>(
          options_, KeyedLimiterContext{
                        .name = "orders", .events = journal_, .clock = clock_, .random = &random_});
    }
    return *limiter_;
  }
  int TakeAll(std::string_view key, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += limiter().Take(key).has_value() ? 1 : 0;
    return admitted;
  }
  /// Takes once by each of so many keys.
  int TakeByEach(int keys) {
    int admitted = 0;
    for (int i = 0; i < keys; ++i) admitted += TakeAll(std::to_string(i), 1);
    return admitted;
  }

  KeyedLimiterOptions options_{.rate = {10, 1s}, .burst = 5, .max_keys = 1024};
  SimClock clock_;
  SeededRandom random_{1};
  Journal journal_;
  std::unique_ptr<KeyedLimiter> limiter_;
};

TEST_F(KeyedLimiterTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<KeyedLimiterOptions>())> == 4);
}

TEST_F(KeyedLimiterTest, EachKeyHasItsOwnBurst) {
  for (const std::string key : {"192.0.2.1", "192.0.2.2", "", "2001:db8::/64"}) {
    EXPECT_EQ(TakeAll(key, 20), 5) << key;
  }
}

TEST_F(KeyedLimiterTest, AFloodingKeyLeavesTheOthersAlone) {
  TakeAll("flooder", 10'000);
  EXPECT_EQ(TakeAll("quiet", 5), 5);
}

TEST_F(KeyedLimiterTest, ARefusalSaysWhyAndForHowLong) {
  TakeAll("a", 5);
  const auto refused = limiter().Take("a");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, 100ms);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 5);
}

TEST_F(KeyedLimiterTest, MoreThanTheBurstIsNeverAdmittedAndTakesNoCell) {
  const auto refused = limiter().Take("a", clock_.Now(), 6);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, kForever);
  EXPECT_EQ(limiter().live(clock_.Now()), 0U);
}

TEST_F(KeyedLimiterTest, AMillionKeysStayWithinTheTable) {
  options_.max_keys = 10'000;
  for (int i = 0; i < 1'000'000; ++i) {
    TakeAll(std::to_string(i), 1);
    if (i % 100 == 0) clock_.Advance(1ms);  // 100,000 keys/s; each owes for 0.1 s
  }
  EXPECT_EQ(limiter().cells(), 15'000U);
  EXPECT_LE(limiter().live(clock_.Now()), 15'000U);
  EXPECT_GT(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, AsManyKeysAsWereAskedForFindAPlace) {
  options_.max_keys = 65'536;
  TakeByEach(65'536);
  EXPECT_EQ(limiter().live(clock_.Now()), 65'536U);
  EXPECT_EQ(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, IdleKeysMakeRoom) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1000; ++i) TakeAll(std::to_string(round) + "/" + std::to_string(i), 1);
    clock_.Advance(101ms);
  }
  EXPECT_EQ(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, AnEvictedIdleKeyNeverAdmitsMoreThanOneThatStayed) {
  options_.max_keys = 64;
  KeyedLimiter roomy({.rate = options_.rate, .burst = options_.burst, .max_keys = 65'536},
                     {.clock = clock_, .random = &random_});
  std::map<std::string, int> more;  // permits by which the small table is ahead
  for (int i = 0; i < 100'000; ++i, clock_.Advance(random_.Between(0ns, 40ms))) {
    // Half of the calls are a few keys' that owe now and then, half are strangers' that push them
    // out.
    const std::uint64_t stranger = 1000 + static_cast<std::uint64_t>(i);
    const std::string key = std::to_string(i % 2 == 0 ? random_.Below(5) : stranger);
    more[key] += limiter().Take(key).has_value() ? 1 : 0;
    more[key] -= roomy.Take(key).has_value() ? 1 : 0;
    ASSERT_LE(more[key], 0);
  }
  EXPECT_EQ(limiter().overflowed(), 0U);
  EXPECT_GT(limiter().refused(), 0U);
}

TEST_F(KeyedLimiterTest, KeysWithoutAPlaceShareOneBucketAndSaySo) {
  options_.max_keys = 16;
  TakeByEach(24 + 100);
  const std::uint64_t shared = limiter().overflowed();
  EXPECT_GE(shared, 100U);
  EXPECT_EQ(limiter().refused(), shared - 5);  // the shared bucket has the burst of one key
  ASSERT_EQ(journal_.events.size(), 1U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kBound);
  EXPECT_EQ(journal_.events[0].service, "orders");
}

TEST_F(KeyedLimiterTest, TheBoundIsToldAtMostOnceASecond) {
  options_.max_keys = 16;
  options_.rate = {1, 1min};
  TakeByEach(200);
  clock_.Advance(999ms);
  TakeByEach(200);
  EXPECT_EQ(journal_.events.size(), 1U);
  clock_.Advance(1ms);
  TakeByEach(200);
  EXPECT_EQ(journal_.events.size(), 2U);
}

TEST_F(KeyedLimiterTest, ApplyKeepsEachKeysDebt) {
  TakeAll("a", 5);
  TakeAll("b", 2);
  options_.rate = {1, 1min};
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("a", 5), 0);
  EXPECT_EQ(TakeAll("b", 5), 3);
  EXPECT_EQ(limiter().Take("a").error().retry_after, 1min);
}

TEST_F(KeyedLimiterTest, ManyChangesInARowLoseNoDebt) {
  TakeAll("a", 4);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    options_.rate = {i % 7 * 100 + 1, 1s};
    limiter().Apply(options_);
    EXPECT_EQ(limiter().remaining("a", clock_.Now()), 1U);
    EXPECT_EQ(limiter().live(clock_.Now()), 1U);
  }
}

TEST_F(KeyedLimiterTest, RemainingIsTheWholeBurstForAKeyNeverSeen) {
  EXPECT_EQ(limiter().remaining("new", clock_.Now()), 5U);
  TakeAll("new", 2);
  EXPECT_EQ(limiter().remaining("new", clock_.Now()), 3U);
}

TEST_F(KeyedLimiterTest, ShadowTellsAndRefusesNothing) {
  options_.mode = Mode::kShadow;
  EXPECT_EQ(TakeAll("a", 8), 8);
  ASSERT_EQ(journal_.events.size(), 3U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kWouldRefuse);
}

TEST_F(KeyedLimiterTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  EXPECT_EQ(TakeAll("a", 100), 100);
  EXPECT_EQ(limiter().live(clock_.Now()), 0U);
}

}  // namespace
}  // namespace hale::policy
