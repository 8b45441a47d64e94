#include "hale/base/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"

namespace hale {
namespace {

using internal::FramePool;

Task<int> Ready(int value) { co_return value; }

Task<long> SumOfReady(long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i) sum += co_await Ready(1);
  co_return sum;
}

Task<int> Throws() {
  throw std::runtime_error("broken");
  co_return 0;
}

Task<std::string> Catches() {
  try {
    co_await Throws();
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing was thrown";
}

Task<int> SleepThrice(Executor& executor, std::shared_ptr<int> progress) {
  for (int i = 0; i < 3; ++i) {
    if (!co_await Sleep(executor, 1s)) co_return -1;
    ++*progress;
  }
  co_return *progress;
}

Task<int> Outer(Executor& executor, std::shared_ptr<int> progress) {
  co_return co_await SleepThrice(executor, progress);
}

Task<void> Store(Task<int> task, int& result) { result = co_await std::move(task); }

TEST(TaskTest, TenMillionReadyAwaitsUseTheStackOfOne) {
  SimExecutor executor;
  EXPECT_EQ(executor.Wait(SumOfReady(10'000'000)), 10'000'000);
}

TEST(TaskTest, AnExceptionPassesThroughToTheAwaiter) {
  SimExecutor executor;
  EXPECT_EQ(executor.Wait(Catches()), "broken");
}

TEST(TaskTest, DoesNotStartBeforeItIsAwaited) {
  auto progress = std::make_shared<int>(0);
  SimExecutor executor;
  {
    const auto never = Outer(executor, progress);
  }
  executor.Run();
  EXPECT_EQ(*progress, 0);
}

TEST(TaskTest, SleepsInVirtualTime) {
  SimExecutor executor;
  const TimePoint start = executor.Now();
  EXPECT_EQ(executor.Wait(Outer(executor, std::make_shared<int>(0))), 3);
  EXPECT_EQ(executor.Now() - start, 3s);
}

TEST(TaskTest, StoppedAtEachAwaitPointItLeavesNothingBehind) {
  for (int point = 0; point <= 3; ++point) {
    const auto frames = FramePool::live();
    SimExecutor executor;
    std::stop_source stop;
    const auto progress = std::make_shared<int>(0);
    int result = 0;
    if (point == 0) stop.request_stop();
    Spawn(Store(Outer(executor, progress), result), stop.get_token());
    executor.RunFor(Duration(1s) * point - 1ns);
    stop.request_stop();
    executor.Run();
    EXPECT_EQ(result, -1) << point;
    EXPECT_EQ(*progress, std::max(0, point - 1));
    EXPECT_EQ(executor.pending(), 0U);
    EXPECT_EQ(FramePool::live(), frames);
    EXPECT_EQ(progress.use_count(), 1);
  }
}

TEST(TaskTest, AStopAfterTheEndChangesNothing) {
  SimExecutor executor;
  std::stop_source stop;
  int result = 0;
  Spawn(Store(Outer(executor, std::make_shared<int>(0)), result), stop.get_token());
  executor.Run();
  stop.request_stop();
  EXPECT_EQ(result, 3);
}

Task<int> Shielded(Executor& executor, std::stop_token own) {
  co_return co_await WithStop(own, SleepThrice(executor, std::make_shared<int>(0)));
}

TEST(TaskTest, WithStopReplacesTheParentsToken) {
  SimExecutor executor;
  std::stop_source outer;
  std::stop_source inner;
  int result = 0;
  Spawn(Store(Shielded(executor, inner.get_token()), result), outer.get_token());
  outer.request_stop();
  executor.RunFor(1500ms);
  inner.request_stop();
  executor.Run();
  EXPECT_EQ(result, -1);
}

Task<void> Await(Trigger& trigger, TimePoint until, std::optional<Trigger::Ended>& ended) {
  ended = co_await trigger.Wait(until);
}

TEST(TriggerTest, ResumesItsWaiterInALaterTurn) {
  SimExecutor executor;
  Trigger trigger(executor);
  std::optional<Trigger::Ended> ended;
  Spawn(Await(trigger, kNever, ended));
  trigger.Fire();
  EXPECT_FALSE(ended.has_value());
  executor.Run();
  EXPECT_EQ(ended, Trigger::Ended::kFired);
}

TEST(TriggerTest, SaysWhetherItWasFiredTimedOutOrStopped) {
  SimExecutor executor;
  std::optional<Trigger::Ended> ended;
  Trigger late(executor);
  Spawn(Await(late, executor.Now() + 5s, ended));
  executor.Run();
  EXPECT_EQ(ended, Trigger::Ended::kTimedOut);

  Trigger stopped(executor);
  std::stop_source stop;
  Spawn(Await(stopped, kNever, ended), stop.get_token());
  stop.request_stop();
  executor.Run();
  EXPECT_EQ(ended, Trigger::Ended::kStopped);
  EXPECT_EQ(executor.pending(), 0U);
}

TEST(TriggerTest, FiredBeforeTheWaitDoesNotSuspend) {
  SimExecutor executor;
  Trigger trigger(executor);
  trigger.Fire();
  std::optional<Trigger::Ended> ended;
  Spawn(Await(trigger, kNever, ended));
  EXPECT_EQ(ended, Trigger::Ended::kFired);
}

}  // namespace
}  // namespace hale
