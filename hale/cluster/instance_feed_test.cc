#include "hale/cluster/instance_feed.h"

#include <gtest/gtest.h>

#include "hale/base/sim_executor.h"

namespace hale::cluster {
namespace {

Instances Of(int count) {
  std::vector<Instance> all;
  for (int i = 0; i < count; ++i) all.push_back({.address = "a:" + std::to_string(i + 1)});
  return Instances(std::move(all));
}

class InstanceFeedTest : public testing::Test {
 protected:
  InstanceFeed::Subscription Listen() {
    return feed_.Subscribe(executor_, [this](std::shared_ptr<const InstanceSet> set) {
      versions_.push_back(set->version);
      sizes_.push_back(set->instances.size());
    });
  }

  SimExecutor executor_;
  InstanceFeed feed_;
  std::vector<std::uint64_t> versions_;
  std::vector<std::size_t> sizes_;
};

TEST_F(InstanceFeedTest, TellsNothingBeforeThereIsASet) {
  const auto subscription = Listen();
  executor_.Run();
  EXPECT_TRUE(versions_.empty());
  EXPECT_EQ(feed_.current(), nullptr);
}

TEST_F(InstanceFeedTest, TellsALateSubscriberTheCurrentSet) {
  feed_.Publish(Of(3));
  const auto subscription = Listen();
  EXPECT_TRUE(sizes_.empty());  // not inside the call
  executor_.Run();
  EXPECT_EQ(sizes_, std::vector<std::size_t>{3});
}

TEST_F(InstanceFeedTest, TellsASlowSubscriberOnlyTheNewest) {
  const auto subscription = Listen();
  for (int i = 1; i <= 10'000; ++i) feed_.Publish(Of(i % 7));
  EXPECT_EQ(executor_.pending(), 1U);
  executor_.Run();
  EXPECT_EQ(versions_, std::vector<std::uint64_t>{10'000});
}

TEST_F(InstanceFeedTest, TellsEachSetToASubscriberThatKeepsUp) {
  const auto subscription = Listen();
  for (int i = 1; i <= 3; ++i) {
    feed_.Publish(Of(i));
    executor_.Run();
  }
  EXPECT_EQ(versions_, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(InstanceFeedTest, TellsNothingOnceTheSubscriptionIsGone) {
  auto subscription = Listen();
  feed_.Publish(Of(1));
  subscription.Close();  // while the delivery is on its way
  executor_.Run();
  feed_.Publish(Of(2));
  executor_.Run();
  EXPECT_TRUE(versions_.empty());
}

TEST_F(InstanceFeedTest, AssigningASubscriptionEndsTheOneThatWasThere) {
  auto subscription = Listen();
  subscription = Listen();
  feed_.Publish(Of(1));
  executor_.Run();
  EXPECT_EQ(versions_.size(), 1U);
}

TEST_F(InstanceFeedTest, AListenerMayEndItsOwnSubscription) {
  InstanceFeed::Subscription subscription;
  int calls = 0;
  subscription = feed_.Subscribe(executor_, [&](const auto&) {
    ++calls;
    subscription.Close();
  });
  feed_.Publish(Of(1));
  executor_.Run();
  feed_.Publish(Of(2));
  executor_.Run();
  EXPECT_EQ(calls, 1);
}

TEST_F(InstanceFeedTest, DestroysAListenerWithItsSubscription) {
  const auto captured = std::make_shared<int>();
  auto idle = feed_.Subscribe(executor_, [captured](const auto&) {});
  feed_.Publish(Of(1));  // a delivery on its way holds the reader, as a publisher may
  idle.Close();
  EXPECT_EQ(captured.use_count(), 1);
  InstanceFeed::Subscription running;
  running = feed_.Subscribe(executor_, [captured, &running](const auto&) {
    running.Close();
    EXPECT_EQ(captured.use_count(), 2);  // not while it runs
  });
  executor_.Run();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(InstanceFeedTest, ServesTheOthersAfterOneHasLeft) {
  auto first = Listen();
  const auto second = Listen();
  first.Close();
  feed_.Publish(Of(4));
  executor_.Run();
  EXPECT_EQ(sizes_, std::vector<std::size_t>{4});
}

}  // namespace
}  // namespace hale::cluster
