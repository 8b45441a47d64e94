#include "hale/cluster/health_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"

namespace hale::cluster {
namespace {

/// Passes whatever is not listed as down, after `latency`; a hanging one takes its whole timeout.
class FakeProber final : public Prober {
 public:
  explicit FakeProber(Executor& executor) : executor_(executor) {}

  Task<Result<void>> Probe(Instance instance, Duration timeout) override {
    began_[instance.address].push_back(executor_.Now());
    most_out_ = std::max(most_out_, ++out_);
    const bool hangs = hanging_.contains(instance.address);
    const Duration takes = hangs ? timeout : latency_;
    if (takes > Duration::zero()) co_await Sleep(executor_, takes);
    --out_;
    if (hangs) co_return Fail(Code::kDeadlineExceeded, "no answer");
    if (down_.contains(instance.address)) co_return Fail(Code::kUnavailable, "refused");
    co_return Result<void>();
  }

  std::set<std::string> down_;
  std::set<std::string> hanging_;
  std::map<std::string, std::vector<TimePoint>> began_;
  Duration latency_ = 1ms;
  int out_ = 0;
  int most_out_ = 0;

 private:
  Executor& executor_;
};

class RecordingObserver final : public HealthObserver {
 public:
  void OnHealth(const Instance& instance, Health health) override {
    verdicts_.push_back(instance.address + (health == Health::kHealthy     ? " healthy"
                                            : health == Health::kUnhealthy ? " unhealthy"
                                                                           : " unknown"));
  }
  void OnAlive(const Instance&, Duration latency) override {
    ++alive_;
    latency_ = latency;
  }
  std::vector<std::string> verdicts_;
  int alive_ = 0;
  Duration latency_{0};
};

class RecordingSink final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    events_.push_back(std::string(Word(event.kind)) + " " + std::string(Word(event.reason)) + " " +
                      std::string(event.instance) + " " + std::string(event.detail));
  }
  std::vector<std::string> events_;
};

Instances Fleet(std::initializer_list<const char*> addresses) {
  std::vector<Instance> all;
  for (const char* address : addresses) all.push_back({.address = address});
  return Instances(std::move(all));
}

Instances Fleet(int count) {
  std::vector<Instance> all;
  for (int i = 0; i < count; ++i) all.push_back({.address = "a:" + std::to_string(1 + i)});
  return Instances(std::move(all));
}

class HealthCheckerTest : public testing::Test {
 protected:
  HealthCheckerTest() {
    checker_.emplace(HealthChecker::Parts{.executor = executor_,
                                          .random = random_,
                                          .observer = observer_,
                                          .service = "orders",
                                          .options = options_,
                                          .prober = prober_,
                                          .sink = sink_});
  }
  ~HealthCheckerTest() override {
    checker_.reset();
    executor_.RunFor(5s);
  }
  const std::vector<TimePoint>& Began(const std::string& address) {
    return prober_->began_[address];
  }

  SimExecutor executor_;
  SeededRandom random_{3};
  HealthOptions options_{.path = "/ready"};
  std::shared_ptr<FakeProber> prober_ = std::make_shared<FakeProber>(executor_);
  RecordingObserver observer_;
  RecordingSink sink_;
  std::optional<HealthChecker> checker_;
};

TEST_F(HealthCheckerTest, DecidesOnANewInstanceWithinATenthOfTheInterval) {
  prober_->down_ = {"b:1"};
  checker_->SetInstances(Fleet({"a:1", "b:1"}));
  executor_.RunFor(210ms);
  EXPECT_EQ(checker_->health("a:1"), Health::kHealthy);
  EXPECT_EQ(checker_->health("b:1"), Health::kUnhealthy);
  EXPECT_EQ(sink_.events_, std::vector<std::string>{"health unhealthy b:1 refused"});
}

TEST_F(HealthCheckerTest, FindsADeadInstanceWithinOneIntervalAndTwoQuickChecks) {
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(10s);
  prober_->down_ = {"a:1"};
  executor_.RunFor(3310ms);  // 2200 + 550 + 550 and the latency
  EXPECT_EQ(checker_->health("a:1"), Health::kUnhealthy);
}

TEST_F(HealthCheckerTest, TellsEachChangeOnceAndEachPassAsEvidenceOfLife) {
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(10s);
  EXPECT_EQ(observer_.verdicts_, std::vector<std::string>{"a:1 healthy"});
  EXPECT_EQ(observer_.alive_, static_cast<int>(Began("a:1").size()));
  EXPECT_EQ(observer_.latency_, 1ms);
  prober_->down_ = {"a:1"};
  executor_.RunFor(10s);
  prober_->down_.clear();
  executor_.RunFor(10s);
  EXPECT_EQ(observer_.verdicts_,
            (std::vector<std::string>{"a:1 healthy", "a:1 unhealthy", "a:1 healthy"}));
  EXPECT_EQ(sink_.events_,
            (std::vector<std::string>{"health unhealthy a:1 refused", "health recovered a:1 "}));
}

TEST_F(HealthCheckerTest, AFirstPassAfterADeathIsEvidenceBeforeTheVerdict) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(1s);
  prober_->down_.clear();
  while (observer_.alive_ == 0) executor_.RunFor(10ms);
  EXPECT_EQ(checker_->health("a:1"), Health::kUnhealthy);
}

TEST_F(HealthCheckerTest, ChecksOneInstanceOnlyOnceAtATime) {
  prober_->hanging_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(30s);
  const auto& began = Began("a:1");
  for (std::size_t i = 1; i < began.size(); ++i) EXPECT_GE(began[i] - began[i - 1], 1s);
  EXPECT_EQ(prober_->most_out_, 1);
}

TEST_F(HealthCheckerTest, InstancesThatCameTogetherDoNotStayInStep) {
  checker_->SetInstances(Fleet(100));
  executor_.RunFor(4s);
  std::vector<int> in_bucket(20);  // of 100 ms, over the second interval
  for (const auto& [address, began] : prober_->began_) {
    for (const TimePoint at : began) {
      const auto bucket = (executor_.Now() - at) / 100ms;
      if (bucket < 20) ++in_bucket[static_cast<std::size_t>(bucket)];
    }
  }
  EXPECT_LT(*std::ranges::max_element(in_bucket), 20);
  EXPECT_GT(std::ranges::count_if(in_bucket, [](int n) { return n > 0; }), 15);
}

TEST_F(HealthCheckerTest, HasNeverMoreChecksOutThanItsBound) {
  prober_->latency_ = 1s;
  checker_->SetInstances(Fleet(2000));
  executor_.RunFor(20s);
  EXPECT_EQ(prober_->most_out_, static_cast<int>(HealthChecker::kMaxInFlight));
  EXPECT_EQ(prober_->began_.size(), 2000U);  // late, but nobody is left out
  EXPECT_EQ(sink_.events_.size(), 1U);
  EXPECT_NE(sink_.events_[0].find("interval late"), std::string::npos);
}

TEST_F(HealthCheckerTest, StopsCheckingWhatHasLeft) {
  checker_->SetInstances(Fleet({"a:1", "b:1"}));
  executor_.RunFor(5s);
  checker_->SetInstances(Fleet({"b:1"}));
  const std::size_t before = Began("a:1").size();
  executor_.RunFor(1min);
  EXPECT_EQ(Began("a:1").size(), before);
  EXPECT_EQ(checker_->health("a:1"), Health::kUnknown);
}

TEST_F(HealthCheckerTest, LeavingAndComingBackIsNoAmnesty) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  checker_->SetInstances(Instances());
  executor_.RunFor(9min);
  checker_->SetInstances(Fleet({"a:1"}));
  EXPECT_EQ(checker_->health("a:1"), Health::kUnhealthy);
  EXPECT_EQ(observer_.verdicts_, (std::vector<std::string>{"a:1 unhealthy", "a:1 unhealthy"}));
}

TEST_F(HealthCheckerTest, ForgetsWhatWasAwayForTenMinutes) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  checker_->SetInstances(Instances());
  executor_.RunFor(10min);
  checker_->SetInstances(Fleet({"a:1"}));
  EXPECT_EQ(checker_->health("a:1"), Health::kUnknown);
}

TEST_F(HealthCheckerTest, RemembersNoMoreThanItsBound) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Instance> all;
    for (int i = 0; i < 6000; ++i) {
      all.push_back({.address = "h" + std::to_string(round) + ":" + std::to_string(1 + i)});
    }
    checker_->SetInstances(Instances(std::move(all)));
  }
  EXPECT_EQ(checker_->remembered(), HealthChecker::kMaxRemembered);
  EXPECT_NE(sink_.events_.at(0).find("too many instances have left"), std::string::npos);
}

TEST_F(HealthCheckerTest, DoesNotForgetWhatCameBackInTime) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  checker_->SetInstances(Instances());
  executor_.RunFor(1min);
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(20min);
  EXPECT_EQ(checker_->remembered(), 0U);
  EXPECT_EQ(checker_->health("a:1"), Health::kUnhealthy);
}

TEST_F(HealthCheckerTest, AResultFromBeforeNewOptionsCountsNothing) {
  prober_->hanging_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(300ms);
  ASSERT_EQ(checker_->in_flight(), 1U);
  const auto other = std::make_shared<FakeProber>(executor_);
  checker_->Apply({.path = "/other"}, other);
  executor_.RunFor(10s);
  EXPECT_EQ(observer_.verdicts_, std::vector<std::string>{"a:1 healthy"});
  EXPECT_GE(other->began_["a:1"].size(), 3U);
}

TEST_F(HealthCheckerTest, NewOptionsKeepTheVerdict) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  checker_->Apply({.path = "/ready", .interval = 1h}, prober_);
  EXPECT_EQ(checker_->health("a:1"), Health::kUnhealthy);
}

TEST_F(HealthCheckerTest, SwitchedOffItTakesItsVerdictsBack) {
  prober_->down_ = {"a:1"};
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  checker_->Apply({.kind = HealthKind::kOff}, prober_);
  const std::size_t before = Began("a:1").size();
  executor_.RunFor(1min);
  EXPECT_EQ(observer_.verdicts_.back(), "a:1 unknown");
  EXPECT_EQ(Began("a:1").size(), before);
  EXPECT_EQ(executor_.pending(), 0U);
}

TEST_F(HealthCheckerTest, SwitchedOnItBegins) {
  checker_->Apply({}, prober_);  // no path: off
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(1min);
  EXPECT_TRUE(prober_->began_.empty());
  checker_->Apply({.path = "/"}, prober_);
  executor_.RunFor(1s);
  EXPECT_EQ(checker_->health("a:1"), Health::kHealthy);
}

TEST_F(HealthCheckerTest, DestroyedWithChecksOutItIsSilentAndLeavesNothing) {
  const auto frames = internal::FramePool::live();
  prober_->hanging_ = {"a:1", "b:1"};
  checker_->SetInstances(Fleet({"a:1", "b:1"}));
  executor_.RunFor(300ms);
  ASSERT_EQ(checker_->in_flight(), 2U);
  checker_.reset();
  executor_.RunFor(Duration::zero());
  EXPECT_EQ(executor_.pending(), 0U);
  EXPECT_EQ(internal::FramePool::live(), frames);
  EXPECT_TRUE(observer_.verdicts_.empty());
}

TEST_F(HealthCheckerTest, ANewZoneOrWeightIsNoNewInstance) {
  checker_->SetInstances(Fleet({"a:1"}));
  executor_.RunFor(5s);
  const std::size_t before = Began("a:1").size();
  checker_->SetInstances(Instances({{.address = "a:1", .zone = "z", .weight = 3}}));
  executor_.RunFor(500ms);
  EXPECT_LE(Began("a:1").size(), before + 1);
  EXPECT_EQ(observer_.verdicts_.size(), 1U);
}

TEST(EffectiveKindTest, AutoFollowsThePath) {
  EXPECT_EQ(EffectiveKind({}), HealthKind::kOff);
  EXPECT_EQ(EffectiveKind({.path = "/ready"}), HealthKind::kHttp);
  EXPECT_EQ(EffectiveKind({.kind = HealthKind::kTcp, .path = "/ready"}), HealthKind::kTcp);
  EXPECT_EQ(EffectiveKind({.kind = HealthKind::kOff, .path = "/ready"}), HealthKind::kOff);
}

}  // namespace
}  // namespace hale::cluster
