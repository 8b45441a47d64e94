#include "hale/config/live.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hale::config {
namespace {

struct Shop {
  int pool = 1;
  std::string name = "a";
};

TEST(LiveTest, ReadsWhatWasPublishedLast) {
  Live<Shop> shop(Shop{});
  EXPECT_EQ(shop->pool, 1);
  shop.Publish({.pool = 2});
  EXPECT_EQ(shop->pool, 2);
  EXPECT_EQ(shop.version(), 2U);
}

TEST(LiveTest, APinnedVersionDoesNotChange) {
  Live<Shop> shop(Shop{});
  const auto pinned = shop.Get();
  shop.Publish({.pool = 2});
  EXPECT_EQ(pinned->pool, 1);
  EXPECT_EQ(shop.Get()->pool, 2);
}

TEST(LiveTest, ReadingAgainGivesTheSameObject) {
  Live<Shop> shop(Shop{});
  EXPECT_EQ(shop.Get().get(), shop.Get().get());
}

TEST(LiveTest, OneExpressionMayReadTwiceAcrossAChange) {
  Live<Shop> shop(Shop{.name = std::string(100, 'a')});
  const auto change = [&] {
    shop.Publish({.name = "b"});
    return shop->name;
  };
  struct Two {  // braces are evaluated from left to right
    const std::string& first;
    std::string second;
    std::string Join() const { return first + second; }
  };
  EXPECT_EQ((Two{shop->name, change()}.Join()), std::string(100, 'a') + "b");
}

TEST(LiveTest, CopiesAreTheSameSetting) {
  Live<Shop> shop(Shop{});
  const Live<Shop> copy = shop;
  shop.Publish({.pool = 5});
  EXPECT_EQ(copy->pool, 5);
}

TEST(LiveTest, SettingsOfOneTypeAreNotMixedUp) {
  for (int i = 0; i < 100; ++i) {
    const Live<Shop> one(Shop{.pool = i});
    const Live<Shop> two(Shop{.pool = -i});
    EXPECT_EQ(one->pool, i);
    EXPECT_EQ(two->pool, -i);
  }
}

TEST(LiveTest, ForgetsVersionsOfSettingsThatAreGone) {
  auto value = std::make_shared<int>(1);
  {
    Live<std::shared_ptr<int>>(value).Get();
  }
  Live<std::shared_ptr<int>>(nullptr).Get();  // the first read of another one sweeps
  EXPECT_EQ(value.use_count(), 1);
}

TEST(LiveTest, TellsBeforeAndNow) {
  Live<Shop> shop(Shop{});
  std::vector<std::pair<int, int>> told;
  const auto handle = shop.OnChange(
      [&](const Shop& before, const Shop& now) { told.emplace_back(before.pool, now.pool); });
  shop.Publish({.pool = 2});
  shop.Publish({.pool = 3});
  EXPECT_EQ(told, (std::vector<std::pair<int, int>>{{1, 2}, {2, 3}}));
}

TEST(LiveTest, AListenerMayPublishAndIsToldAfterwards) {
  Live<Shop> shop(Shop{});
  std::vector<std::pair<int, int>> told;
  const auto handle = shop.OnChange([&](const Shop& before, const Shop& now) {
    told.emplace_back(before.pool, now.pool);
    if (now.pool < 4) shop.Publish({.pool = now.pool + 1});
  });
  shop.Publish({.pool = 2});
  EXPECT_EQ(told, (std::vector<std::pair<int, int>>{{1, 2}, {2, 3}, {3, 4}}));
}

TEST(LiveTest, ChangesWhileListenersAreToldAreJoined) {
  Live<Shop> shop(Shop{});
  std::vector<std::pair<int, int>> told;
  const auto handle = shop.OnChange([&](const Shop& before, const Shop& now) {
    told.emplace_back(before.pool, now.pool);
    if (now.pool == 2) {
      shop.Publish({.pool = 3});
      shop.Publish({.pool = 4});
    }
  });
  shop.Publish({.pool = 2});
  EXPECT_EQ(told, (std::vector<std::pair<int, int>>{{1, 2}, {2, 4}}));
}

TEST(LiveTest, NobodyIsToldAfterTheEndOfASubscription) {
  Live<Shop> shop(Shop{});
  int calls = 0;
  {
    const auto handle = shop.OnChange([&](const Shop&, const Shop&) { ++calls; });
  }
  shop.Publish({.pool = 2});
  EXPECT_EQ(calls, 0);
}

TEST(LiveTest, AListenerThatThrowsDoesNotSilenceTheOthersForEver) {
  Live<Shop> shop(Shop{});
  int calls = 0;
  const auto handle = shop.OnChange([&](const Shop&, const Shop&) {
    if (++calls == 1) throw 1;
  });
  EXPECT_THROW(shop.Publish({.pool = 2}), int);
  shop.Publish({.pool = 3});
  EXPECT_EQ(calls, 2);
}

// With threads, for ThreadSanitizer. Each version's fields agree with each other, no reader sees
// time go backwards, and who saw a version number sees its value.
TEST(LiveStressTest, ReadersSeeWholeVersionsInOrder) {
  struct Pair {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
  };
  Live<Pair> live(Pair{});
  constexpr std::uint64_t kLast = 5000;
  std::atomic<std::uint64_t> bad{0};
  const auto read = [&] {
    std::uint64_t last = 0;
    while (last < kLast) {
      const std::uint64_t at_least = live.version() - 1;
      const auto now = live.Get();
      if (now->a != now->b || now->a < last || now->a < at_least) bad.fetch_add(1);
      last = now->a;
    }
  };
  std::thread one(read);
  std::thread two(read);
  for (std::uint64_t i = 1; i <= kLast; ++i) live.Publish({i, i});
  one.join();
  two.join();
  EXPECT_EQ(bad.load(), 0U);
}

TEST(LiveStressTest, EveryWritersLastWordIsToldInOrder) {
  Live<int> live(0);
  std::vector<std::pair<int, int>> told;  // written by one teller at a time
  const auto handle =
      live.OnChange([&](const int& before, const int& now) { told.emplace_back(before, now); });
  const auto write = [&](int sign) {
    for (int i = 1; i <= 500; ++i) live.Publish(sign * i);
  };
  std::thread one(write, 1);
  std::thread two(write, -1);
  one.join();
  two.join();
  for (std::size_t i = 1; i < told.size(); ++i) EXPECT_EQ(told[i - 1].second, told[i].first);
  EXPECT_EQ(told.back().second, *live.Get());
}

}  // namespace
}  // namespace hale::config
