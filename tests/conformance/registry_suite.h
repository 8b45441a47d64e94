#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/random.h"
#include "hale/cluster/watcher.h"

namespace hale::test {

/// What every cluster::Registry does, whatever is behind it. A bench has
///   Executor& executor();
///   std::shared_ptr<cluster::Registry> registry();
///   void Set(std::vector<cluster::Instance>);  // the service has these from now
///   bool RunUntil(std::function<bool()>);      // runs the executor; false when it takes too long
///   void BeQuiet();                            // runs it for so long that a change would be seen
/// and begins with one instance, `first:1`.
template <class Bench>
class RegistrySuite : public testing::Test {
 protected:
  using Answer = std::optional<Result<cluster::Update>>;

  static Task<void> Keep(std::shared_ptr<cluster::Registry> registry, cluster::Position after,
                         std::shared_ptr<Answer> answer) {
    *answer = co_await registry->Next(std::move(after));
  }
  std::shared_ptr<Answer> Ask(cluster::Position after, std::stop_token stop = {}) {
    auto answer = std::make_shared<Answer>();
    Spawn(Keep(bench_.registry(), std::move(after), answer), std::move(stop));
    return answer;
  }
  Result<cluster::Update> Next(cluster::Position after) {
    const auto answer = Ask(std::move(after));
    if (!bench_.RunUntil([&] { return answer->has_value(); })) {
      return Fail(Code::kDeadlineExceeded, "no answer");
    }
    return std::move(**answer);
  }
  /// Follows until the set is this one; the positions on the way are kept.
  bool Follow(cluster::Position from, const cluster::Instances& wanted) {
    for (int i = 0; i < 20; ++i) {
      const auto update = Next(from);
      if (!update) return false;
      positions_.push_back(update->position);
      if (cluster::Instances(update->instances) == wanted) return true;
      from = update->position;
    }
    return false;
  }
  static std::vector<cluster::Instance> Fleet(int count) {
    std::vector<cluster::Instance> all;
    for (int i = 0; i < count; ++i) {
      all.push_back({.address = "10.0.0.1:" + std::to_string(1 + i)});
    }
    return all;
  }

  Bench bench_;
  std::vector<cluster::Position> positions_;
};

TYPED_TEST_SUITE_P(RegistrySuite);

TYPED_TEST_P(RegistrySuite, AnswersWhoKnowsNothing) {
  const auto update = this->Next({});
  ASSERT_TRUE(update) << update.error().message;
  ASSERT_EQ(update->instances.size(), 1U);
  EXPECT_EQ(update->instances[0].address, "first:1");
  EXPECT_GT(update->position, cluster::Position());
  EXPECT_TRUE(update->authoritative);
}

TYPED_TEST_P(RegistrySuite, SaysNothingNewWhileNothingChanges) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  std::stop_source stop;
  const auto answer = this->Ask(known->position, stop.get_token());
  this->bench_.BeQuiet();
  if (answer->has_value()) {  // a poll that came back
    ASSERT_TRUE(answer->value()) << answer->value().error().message;
    EXPECT_EQ(cluster::Instances((*answer)->value().instances),
              cluster::Instances(known->instances));
  }
  stop.request_stop();
  EXPECT_TRUE(this->bench_.RunUntil([&] { return answer->has_value(); }));
}

TYPED_TEST_P(RegistrySuite, TellsAChangeToWhoIsWaiting) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  const auto answer = this->Ask(known->position);
  this->bench_.BeQuiet();
  this->bench_.Set(this->Fleet(3));
  ASSERT_TRUE(this->bench_.RunUntil([&] { return answer->has_value(); }));
  ASSERT_TRUE(answer->value()) << answer->value().error().message;
  EXPECT_EQ(cluster::Instances((*answer)->value().instances), cluster::Instances(this->Fleet(3)));
  EXPECT_GT((*answer)->value().position, known->position);
}

TYPED_TEST_P(RegistrySuite, DoesNotMissAChangeBetweenTwoQuestions) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  this->bench_.Set(this->Fleet(3));
  this->bench_.BeQuiet();
  EXPECT_TRUE(this->Follow(known->position, cluster::Instances(this->Fleet(3))));
}

TYPED_TEST_P(RegistrySuite, EndsWithTheLastOfManyChangesAndNeverStepsBack) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  for (int i = 2; i <= 30; ++i) this->bench_.Set(this->Fleet(i));
  EXPECT_TRUE(this->Follow(known->position, cluster::Instances(this->Fleet(30))));
  EXPECT_TRUE(std::ranges::is_sorted(this->positions_));
}

TYPED_TEST_P(RegistrySuite, ReadsAfreshFromTheDefaultPosition) {
  ASSERT_TRUE(this->Next({}));
  this->bench_.Set(this->Fleet(3));
  const auto update = this->Next({});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_EQ(update->instances.size(), 3U);
}

TYPED_TEST_P(RegistrySuite, EndsItsWaitWhenStoppedAndLeavesNothing) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  const auto frames = internal::FramePool::live();
  std::stop_source stop;
  const auto answer = this->Ask(known->position, stop.get_token());
  this->bench_.BeQuiet();
  stop.request_stop();
  ASSERT_TRUE(this->bench_.RunUntil([&] { return answer->has_value(); }));
  ASSERT_FALSE(answer->value());
  EXPECT_EQ(answer->value().error().code, Code::kCancelled);
  EXPECT_EQ(internal::FramePool::live(), frames);
}

TYPED_TEST_P(RegistrySuite, CarriesAllOfAnInstance) {
  const cluster::Instance instance{
      .address = "[::1]:80", .zone = "a", .weight = 2.5, .metadata = {{"version", "3: \"x\""}}};
  this->bench_.Set({instance});
  const auto update = this->Next({});
  ASSERT_TRUE(update) << update.error().message;
  ASSERT_EQ(update->instances.size(), 1U);
  EXPECT_EQ(update->instances[0], instance);
}

TYPED_TEST_P(RegistrySuite, AnEmptySetIsAnAnswer) {
  this->bench_.Set({});
  const auto update = this->Next({});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_TRUE(update->instances.empty());
}

TYPED_TEST_P(RegistrySuite, CarriesTenThousandInstances) {
  this->bench_.Set(this->Fleet(10'000));
  const auto update = this->Next({});
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_EQ(cluster::Instances(update->instances).size(), 10'000U);
}

REGISTER_TYPED_TEST_SUITE_P(RegistrySuite, AnswersWhoKnowsNothing,
                            SaysNothingNewWhileNothingChanges, TellsAChangeToWhoIsWaiting,
                            DoesNotMissAChangeBetweenTwoQuestions,
                            EndsWithTheLastOfManyChangesAndNeverStepsBack,
                            ReadsAfreshFromTheDefaultPosition,
                            EndsItsWaitWhenStoppedAndLeavesNothing, CarriesAllOfAnInstance,
                            AnEmptySetIsAnAnswer, CarriesTenThousandInstances);

/// What a registry does that can fail. Its bench has besides
///   void Break();  // it fails from now on
///   void Mend();   // and no longer
template <class Bench>
class FailingRegistrySuite : public RegistrySuite<Bench> {};

TYPED_TEST_SUITE_P(FailingRegistrySuite);

TYPED_TEST_P(FailingRegistrySuite, TellsAFailureAndGoesOnAfterIt) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  this->bench_.Break();
  const auto failed = this->Next(known->position);
  ASSERT_FALSE(failed);
  EXPECT_FALSE(failed.error().message.empty());
  this->bench_.Mend();
  this->bench_.Set(this->Fleet(3));
  EXPECT_TRUE(this->Follow(known->position, cluster::Instances(this->Fleet(3))));
}

TYPED_TEST_P(FailingRegistrySuite, SaysThatItIsWellAgainThoughNothingChanged) {
  const auto known = this->Next({});
  ASSERT_TRUE(known);
  this->bench_.Break();
  ASSERT_FALSE(this->Next(known->position));
  this->bench_.Mend();
  const auto update = this->Next(known->position);
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_GE(update->position, known->position);
  EXPECT_EQ(update->instances.size(), 1U);
}

TYPED_TEST_P(FailingRegistrySuite, UnderAWatcherAnOutageTakesNothingAway) {
  this->bench_.Set(this->Fleet(5));
  SeededRandom random(1);
  cluster::Watcher watcher({.executor = this->bench_.executor(),
                            .registry = this->bench_.registry(),
                            .random = random,
                            .service = "orders"});
  const auto is = [&](cluster::Freshness freshness) {
    return [&watcher, freshness] { return watcher.status().freshness == freshness; };
  };
  ASSERT_TRUE(this->bench_.RunUntil(is(cluster::Freshness::kLive)));
  this->bench_.Break();
  ASSERT_TRUE(this->bench_.RunUntil(is(cluster::Freshness::kStale)));
  EXPECT_EQ(watcher.status().instances, 5U);
  this->bench_.Mend();
  EXPECT_TRUE(this->bench_.RunUntil(is(cluster::Freshness::kLive)));
  EXPECT_EQ(watcher.current()->version, 1U);
}

REGISTER_TYPED_TEST_SUITE_P(FailingRegistrySuite, TellsAFailureAndGoesOnAfterIt,
                            SaysThatItIsWellAgainThoughNothingChanged,
                            UnderAWatcherAnOutageTakesNothingAway);

}  // namespace hale::test
