#include "hale/cluster/watcher.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"
#include "hale/cluster/static_registry.h"

namespace hale::cluster {
namespace {

std::vector<Instance> Fleet(int count) {
  std::vector<Instance> all;
  for (int i = 0; i < count; ++i) all.push_back({.address = "a:" + std::to_string(1000 + i)});
  return all;
}

/// Answers what was scripted, at once; with nothing left it waits to be stopped.
class ScriptedRegistry final : public Registry {
 public:
  explicit ScriptedRegistry(Executor& executor) : executor_(executor) {}

  void Say(Position at, std::vector<Instance> all) {
    script_.emplace_back(Update(std::move(at), std::move(all)));
  }
  void Break() { script_.emplace_back(Fail(Code::kUnavailable, "down")); }

  Task<Result<Update>> Next(Position after) override {
    asked_.push_back(after);
    asked_at_.push_back(executor_.Now());
    if (script_.empty()) {
      co_await SleepUntil(executor_, kNever);
      co_return Fail(Code::kCancelled, "stopped");
    }
    Result<Update> answer = std::move(script_.front());
    script_.pop_front();
    co_return answer;
  }

  const std::vector<Position>& asked() const { return asked_; }
  const std::vector<TimePoint>& asked_at() const { return asked_at_; }
  std::size_t left() const { return script_.size(); }

 private:
  Executor& executor_;
  std::deque<Result<Update>> script_;
  std::vector<Position> asked_;
  std::vector<TimePoint> asked_at_;
};

class RecordingSink final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    EXPECT_EQ(event.kind, EventKind::kInstancesChanged);
    EXPECT_EQ(event.service, "orders");
    events_.push_back(std::string(Word(event.reason)) + " " + std::string(event.detail));
  }
  const std::vector<std::string>& events() const { return events_; }

 private:
  std::vector<std::string> events_;
};

class WatcherTest : public testing::Test {
 protected:
  ~WatcherTest() override {
    watcher_.reset();
    executor_.RunFor(1s);
  }
  void Start() {
    watcher_.emplace(Watcher::Parts{.executor = executor_,
                                    .registry = registry_,
                                    .random = random_,
                                    .service = "orders",
                                    .sink = sink_});
  }
  std::size_t size() const {
    return watcher_->current() ? watcher_->current()->instances.size() : 0;
  }

  SimExecutor executor_;
  SeededRandom random_{1};
  RecordingSink sink_;
  std::shared_ptr<ScriptedRegistry> registry_ = std::make_shared<ScriptedRegistry>(executor_);
  std::optional<Watcher> watcher_;
};

TEST_F(WatcherTest, PublishesTheFirstAnswerAtOnce) {
  registry_->Say({1, 1}, Fleet(3));
  Start();
  EXPECT_EQ(size(), 3U);
  EXPECT_EQ(watcher_->status().freshness, Freshness::kLive);
  EXPECT_EQ(sink_.events(), std::vector<std::string>{"none +3 -0 ~0"});
}

TEST_F(WatcherTest, AsksOnFromWhereItStands) {
  registry_->Say({1, 4}, Fleet(3));
  registry_->Say({1, 9}, Fleet(4));
  Start();
  executor_.RunFor(1s);
  EXPECT_EQ(registry_->asked(), (std::vector<Position>{{}, {1, 4}, {1, 9}}));
  EXPECT_EQ(watcher_->status().position, Position(1, 9));
}

TEST_F(WatcherTest, TellsSubscribersOnTheirOwnExecutor) {
  SimExecutor other;
  registry_->Say({1, 1}, Fleet(3));
  Start();
  std::size_t told = 0;
  const auto subscription =
      watcher_->Subscribe(other, [&](const auto& set) { told = set->instances.size(); });
  executor_.RunFor(1s);
  EXPECT_EQ(told, 0U);
  other.Run();
  EXPECT_EQ(told, 3U);
}

TEST_F(WatcherTest, KeepsTheLastGoodSetThroughAnOutageAndGoesOnByItself) {
  registry_->Say({1, 1}, Fleet(5));
  for (int i = 0; i < 50; ++i) registry_->Break();
  registry_->Say({1, 2}, Fleet(6));
  Start();
  executor_.RunFor(50ms);
  EXPECT_EQ(watcher_->status().freshness, Freshness::kStale);
  EXPECT_EQ(watcher_->status().error, "down");
  EXPECT_EQ(size(), 5U);
  executor_.RunFor(30min);
  EXPECT_EQ(registry_->left(), 0U);
  EXPECT_EQ(size(), 6U);
  EXPECT_EQ(watcher_->status().failures, 50U);
  EXPECT_EQ(sink_.events(),
            (std::vector<std::string>{"none +5 -0 ~0", "stale down",
                                      "recovered the registry answers", "none +1 -0 ~0"}));
}

TEST_F(WatcherTest, AsksADeadRegistryNoMoreOftenThanItsBackOffAllows) {
  for (int i = 0; i < 1000; ++i) registry_->Break();
  Start();
  executor_.RunFor(10min);
  // Nine doublings take 26 s on average, then one question in 15 s on average.
  EXPECT_GT(registry_->asked().size(), 25U);
  EXPECT_LT(registry_->asked().size(), 80U);
}

TEST_F(WatcherTest, ClientsOfOneRegistryDoNotComeBackInStep) {
  registry_->Break();
  registry_->Break();
  Start();
  SeededRandom other_random(2);
  auto other_registry = std::make_shared<ScriptedRegistry>(executor_);
  other_registry->Break();
  other_registry->Break();
  const Watcher other({executor_, other_registry, other_random, "orders", {}, sink_});
  executor_.RunFor(1s);
  EXPECT_NE(registry_->asked_at()[1], other_registry->asked_at()[1]);
}

TEST_F(WatcherTest, ConfirmsAnEmptySetAfterASecondAndThenAppliesIt) {
  registry_->Say({1, 1}, Fleet(100));
  registry_->Say({1, 2}, {});
  registry_->Say({1, 2}, {});
  Start();
  executor_.RunFor(900ms);
  EXPECT_EQ(size(), 100U);
  EXPECT_TRUE(watcher_->status().holding);
  executor_.RunFor(400ms);
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(registry_->asked()[2], Position());
  EXPECT_EQ(watcher_->status().held, 1U);
  EXPECT_EQ(sink_.events()[1], "held a second reading must agree");
}

TEST_F(WatcherTest, NeverShowsAnEmptySetThatWasNotMeant) {
  registry_->Say({1, 1}, Fleet(100));
  registry_->Say({1, 2}, {});
  registry_->Say({1, 3}, Fleet(100));
  Start();
  std::size_t least = 100;
  const auto subscription = watcher_->Subscribe(
      executor_, [&](const auto& set) { least = std::min(least, set->instances.size()); });
  executor_.RunFor(1min);
  EXPECT_EQ(registry_->left(), 0U);
  EXPECT_EQ(least, 100U);
  EXPECT_FALSE(watcher_->status().holding);
}

TEST_F(WatcherTest, DoesNotSpinWhenTheRegistryRepeatsItself) {
  for (int i = 0; i < 1000; ++i) registry_->Say({1, 1}, Fleet(1));
  Start();
  executor_.RunFor(10s);
  EXPECT_GE(registry_->asked().size(), 10U);
  EXPECT_LE(registry_->asked().size(), 22U);
}

TEST_F(WatcherTest, PublishesARegistryThatChangesAllTheTimeAtMostTwentyTimesASecond) {
  for (int i = 1; i < 1000; ++i)
    registry_->Say({1, static_cast<std::uint64_t>(i)}, Fleet(1 + i % 2));
  Start();
  executor_.RunFor(1s);
  EXPECT_EQ(watcher_->current()->version, 21U);
}

TEST_F(WatcherTest, SaysOnceThatAStaleSetHasExpired) {
  registry_->Say({1, 1}, Fleet(2));
  for (int i = 0; i < 1000; ++i) registry_->Break();
  Start();
  executor_.RunFor(59min);
  EXPECT_EQ(sink_.events().back(), "stale down");
  executor_.RunFor(2h);
  EXPECT_EQ(std::ranges::count(sink_.events(), "stale expired: down"), 1);
  EXPECT_EQ(watcher_->status().freshness, Freshness::kExpired);
  EXPECT_EQ(size(), 2U);
}

TEST_F(WatcherTest, SaysSoAlsoWhileTheRegistryWaitsForBetterTimes) {
  registry_->Say({1, 1}, Fleet(2));
  registry_->Break();
  Start();
  executor_.RunFor(61min);
  EXPECT_EQ(sink_.events().back(), "stale expired: down");
}

TEST_F(WatcherTest, CountsAndNamesMalformedInstances) {
  auto all = Fleet(2);
  all.push_back({.address = "nonsense"});
  registry_->Say({1, 1}, all);
  Start();
  EXPECT_EQ(watcher_->status().malformed, 1U);
  EXPECT_NE(watcher_->status().malformed_reason.find("nonsense"), std::string::npos);
}

TEST_F(WatcherTest, DestroyedAtAnyPointItLeavesNothingBehind) {
  const auto frames = internal::FramePool::live();
  for (const Duration after : {0ms, 20ms, 60ms, 500ms, 2000ms}) {
    registry_->Say({1, 1}, Fleet(9));
    registry_->Say({1, 2}, {});
    registry_->Break();
    Start();
    executor_.RunFor(after);
    watcher_.reset();
    executor_.RunFor(Duration::zero());
    EXPECT_EQ(executor_.pending(), 0U) << after.count();
    EXPECT_EQ(internal::FramePool::live(), frames) << after.count();
    EXPECT_EQ(registry_.use_count(), 1);
    registry_ = std::make_shared<ScriptedRegistry>(executor_);
  }
}

TEST_F(WatcherTest, AStoppedQuestionIsNoFailure) {
  registry_->Say({1, 1}, Fleet(1));
  Start();
  executor_.RunFor(1s);
  watcher_.reset();
  executor_.RunFor(1s);
  EXPECT_EQ(sink_.events().size(), 1U);
}

}  // namespace
}  // namespace hale::cluster
