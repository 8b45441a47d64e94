#include "hale/guard/caller_executor.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/wait.h"

namespace hale::guard {
namespace {

class CallerExecutorTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(hale::internal::FramePool::live(), frames_); }

  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimClock clock_;
  TimePoint start_ = clock_.Now();
  int idled_ = 0;
  Idle idle_ = [this](std::unique_lock<std::mutex>&, std::condition_variable&, TimePoint when) {
    ++idled_;
    clock_.Set(when);
  };
  CallerExecutor executor_{clock_, &idle_};
};

Task<int> Ready(int value) { co_return value; }
Task<int> Throws() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<int> Sleeps(Executor& executor, Duration span) {
  co_return co_await Sleep(executor, span) ? 1 : 0;
}
Task<int> WaitsFor(Trigger& trigger) {
  co_await trigger.Wait();
  co_return 1;
}

TEST_F(CallerExecutorTest, GivesTheResultOfATaskThatIsReadyWithoutSleeping) {
  EXPECT_EQ(executor_.Wait(Ready(7)), 7);
  EXPECT_EQ(idled_, 0);
}

TEST_F(CallerExecutorTest, SleepsAsLongAsTheTaskDoes) {
  EXPECT_EQ(executor_.Wait(Sleeps(executor_, 3s)), 1);
  EXPECT_EQ(clock_.Now() - start_, 3s);
}

TEST_F(CallerExecutorTest, LetsAnExceptionPassThrough) {
  EXPECT_THROW(executor_.Wait(Throws()), std::runtime_error);
}

TEST_F(CallerExecutorTest, RunsTimersInTheirOrder) {
  std::vector<int> order;
  executor_.At(start_ + 2s, [&] { order.push_back(2); });
  executor_.At(start_ + 1s, [&] { order.push_back(1); });
  executor_.Wait(Sleeps(executor_, 3s));
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(CallerExecutorTest, ForgetsWhatWasCancelled) {
  bool ran = false;
  executor_.Cancel(executor_.At(start_ + 1s, [&] { ran = true; }));
  executor_.Wait(Sleeps(executor_, 3s));
  EXPECT_FALSE(ran);
}

TEST_F(CallerExecutorTest, RunsWhatIsPostedBeforeItSleeps) {
  Trigger trigger(executor_);
  executor_.Post([&] { trigger.Fire(); });
  EXPECT_EQ(executor_.Wait(WaitsFor(trigger)), 1);
  EXPECT_EQ(idled_, 0);
}

TEST_F(CallerExecutorTest, WakesFromItsSleepForWhatIsPosted) {
  Trigger trigger(executor_);
  Idle idle = [&](std::unique_lock<std::mutex>& lock, std::condition_variable&, TimePoint when) {
    EXPECT_EQ(when, kNever);
    lock.unlock();
    executor_.Post([&] { trigger.Fire(); });  // as another thread would
    lock.lock();
  };
  idle_ = idle;
  EXPECT_EQ(executor_.Wait(WaitsFor(trigger)), 1);
}

}  // namespace
}  // namespace hale::guard
