#include "hale/telemetry/log_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace hale::telemetry {
namespace {

class MemorySink final : public LogSink {
 public:
  bool Write(std::string_view lines) noexcept override {
    if (broken) return false;
    text += lines;
    return true;
  }
  std::string text;
  bool broken = false;
};

std::ptrdiff_t Lines(const std::string& text) { return std::ranges::count(text, '\n'); }

void ExpectConserved(const LogStats& stats) {
  EXPECT_EQ(stats.created, stats.written + stats.dropped_full + stats.dropped_error + stats.queued);
}

void PushMany(LogQueue& queue, int threads) {
  std::vector<std::jthread> all;
  for (int thread = 0; thread < threads; ++thread) {
    all.emplace_back([&queue] {
      for (int i = 0; i < 5000; ++i) queue.Push("a line of some length\n");
    });
  }
  for (int i = 0; i < 100; ++i) ExpectConserved(queue.stats());
}

TEST(LogQueueTest, LinesOfAThreadKeepTheirOrder) {
  MemorySink sink;
  LogQueue queue(sink);
  for (int i = 0; i < 3; ++i) queue.Push(std::to_string(i) + "\n");
  queue.Drain();
  EXPECT_EQ(sink.text, "0\n1\n2\n");
}

TEST(LogQueueTest, NothingIsWrittenByAPush) {
  MemorySink sink;
  LogQueue queue(sink);
  queue.Push("a\n");
  EXPECT_EQ(sink.text, "");
  EXPECT_EQ(queue.stats().queued, 1);
}

TEST(LogQueueTest, AFullQueueDropsAndCounts) {
  MemorySink sink;
  LogQueue queue(sink, {.bytes = 160});  // a shard's half is 10 bytes
  EXPECT_TRUE(queue.Push("12345678\n"));
  EXPECT_FALSE(queue.Push("1\n"));
  EXPECT_TRUE(queue.Push("\n"));
  queue.Drain();
  EXPECT_EQ(sink.text, "12345678\n\n");
  const LogStats stats = queue.stats();
  EXPECT_EQ(stats.dropped_full, 1);
  EXPECT_EQ(stats.written, 2);
  ExpectConserved(stats);
}

TEST(LogQueueTest, ThereIsRoomAgainAfterwards) {
  MemorySink sink;
  LogQueue queue(sink, {.bytes = 160});
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(queue.Push("12345678\n"));
    queue.Drain();
  }
  EXPECT_EQ(Lines(sink.text), 3);
  EXPECT_EQ(queue.stats().written, 3);
}

TEST(LogQueueTest, WhatTheSinkRefusesIsCountedAsLost) {
  MemorySink sink{};
  sink.broken = true;
  LogQueue queue(sink);
  queue.Push("a\n");
  queue.Push("b\n");
  queue.Drain();
  const LogStats stats = queue.stats();
  EXPECT_EQ(stats.dropped_error, 2);
  EXPECT_EQ(stats.written, 0);
  EXPECT_EQ(stats.queued, 0);
}

TEST(LogQueueTest, WhatWaitsIsWrittenAtTheEnd) {
  MemorySink sink;
  {
    LogQueue(sink).Push("a\n");
  }
  EXPECT_EQ(sink.text, "a\n");
}

TEST(LogQueueStressTest, EveryLineIsWrittenOrCounted) {
  MemorySink sink;
  LogQueue queue(sink, {.bytes = 64 * 1024});
  {
    const LogWriter writer(queue);
    PushMany(queue, 12);
  }
  const LogStats stats = queue.stats();
  EXPECT_EQ(stats.created, 60'000);
  EXPECT_EQ(stats.queued, 0);
  EXPECT_EQ(Lines(sink.text), static_cast<std::ptrdiff_t>(stats.written));
  EXPECT_EQ(sink.text.size(), 22 * stats.written);
}

TEST(LogQueueStressTest, AnIdleWriterEndsAtOnce) {
  MemorySink sink;
  LogQueue queue(sink, {.linger = 1h});
  {
    LogWriter writer(queue);
  }
  queue.Push("a\n");
  {
    LogWriter writer(queue);
  }
  EXPECT_EQ(sink.text, "a\n");
}

}  // namespace
}  // namespace hale::telemetry
