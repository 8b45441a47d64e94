#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "hale/telemetry/exposition.h"
#include "hale/telemetry/metrics.h"

namespace hale::telemetry {
namespace {

// Runs f in each of `count` threads, all let go at once.
void Together(int count, const std::function<void()>& f) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      f();
    });
  }
}

TEST(MetricsStressTest, NothingThatThreadsCountIsLost) {
  Registry registry;
  const Counter& counter = registry.Counters({.name = "x_total", .help = "X."}).With({});
  const Histogram& took = registry.Histograms({.name = "x_seconds", .help = "X."}).With({});
  Together(16, [&] {
    for (int i = 0; i < 20'000; ++i) counter.Add();
    for (int i = 0; i < 1000; ++i) took.Observe(Duration(i));
  });
  EXPECT_EQ(counter.value(), 16 * 20'000);
  EXPECT_EQ(took.values().count, 16'000);
}

// The first and the last of nine threads are dealt the same copy of a number.
TEST(MetricsStressTest, ThreadsThatShareACellLoseNothing) {
  CellPool pool;
  const Counter counter(pool);
  std::atomic<int> arrived{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i <= kCellShards; ++i) {
    std::latch dealt(1);
    threads.emplace_back([&, i] {
      CellShard();
      dealt.count_down();
      if (i % kCellShards != 0) return;
      for (int round = 1; round <= 10; ++round) {
        arrived.fetch_add(1);
        while (arrived.load() < 2 * round) {  // spinning, so that both set off at once
        }
        for (int n = 0; n < 100'000; ++n) counter.Add();
      }
    });
    dealt.wait();
  }
  threads.clear();
  EXPECT_EQ(counter.value(), 2'000'000);
}

TEST(MetricsStressTest, ThreadsThatComeTogetherMakeOneSeries) {
  Registry registry;
  CounterFamily& family =
      registry.Counters({.name = "x_total", .help = "X.", .labels = {"k"}, .max_series = 5'000});
  Together(4, [&] {
    for (int i = 0; i < 5'000; ++i) family.With({std::to_string(i)}).Add();
  });
  EXPECT_EQ(family.size(), 5'000);
  for (int i = 0; i < 5'000; ++i) EXPECT_EQ(family.With({std::to_string(i)}).value(), 4);
}

TEST(MetricsStressTest, AReadingBesideAWriterNeverGoesBack) {
  Registry registry;
  const Histogram& took = registry.Histograms({.name = "x_seconds", .help = "X."}).With({});
  const std::jthread writer([&] {
    for (int i = 0; i < 20'000; ++i) took.Observe(Duration(i) * 1'000'000);
  });
  std::uint64_t before = 0;
  for (int i = 0; i < 200; ++i) {
    Expose(registry, MetricFormat::kText);
    const std::uint64_t now = took.values().count;
    EXPECT_GE(now, before);
    before = now;
  }
}

}  // namespace
}  // namespace hale::telemetry
