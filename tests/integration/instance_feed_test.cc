#include "hale/cluster/instance_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/conformance/real_time.h"

namespace hale::test {
namespace {

using cluster::InstanceFeed;
using cluster::Instances;
using cluster::InstanceSet;

constexpr std::uint64_t kSets = 20'000;

/// One loop that hears of sets, now and then after a while of not listening.
class Listener {
 public:
  explicit Listener(InstanceFeed& feed) : feed_(feed) { Listen(); }

  bool Done() {
    if (++looks_ % 3 == 0 && last_ < kSets) Listen();
    return last_ == kSets;
  }
  bool RunUntilDone() {
    const bool done = time_.RunUntil([this] { return Done(); });
    subscription_.Close();
    time_.RunFor(1ms);
    return done && in_order_;
  }

 private:
  void Listen() {
    last_ = 0;
    subscription_ =
        feed_.Subscribe(time_.loop(), [this](const std::shared_ptr<const InstanceSet>& set) {
          in_order_ &= set->version > last_ && time_.loop().InLoop();
          last_ = set->version;
        });
  }

  InstanceFeed& feed_;
  RealTime time_;
  std::uint64_t last_ = 0;
  bool in_order_ = true;
  int looks_ = 0;
  InstanceFeed::Subscription subscription_;
};

TEST(InstanceFeedThreadsTest, EachLoopHearsTheLastSetAndNeverAnOlderOne) {
  InstanceFeed feed;
  std::atomic<int> good = 0;
  std::vector<std::thread> loops;
  for (int i = 0; i < 3; ++i) {
    loops.emplace_back([&] {
      Listener listener(feed);
      if (listener.RunUntilDone()) ++good;
    });
  }
  for (std::uint64_t i = 0; i < kSets; ++i) feed.Publish(Instances());
  for (auto& loop : loops) loop.join();
  EXPECT_EQ(good, 3);
}

}  // namespace
}  // namespace hale::test
