#include "hale/guard/single_flight.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"

namespace hale::guard {
namespace {

using Got = std::optional<Result<int>>;

class SingleFlightCallTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.emplace_back(event.kind, event.span); }
  /// A call that takes a second; what it gives is `answers_`, one after another.
  Task<Result<int>> Ask() {
    ++calls_;
    const bool slept = co_await Sleep(executor_, 1s);
    if (!slept) {
      ++stopped_;
      co_return Fail(Reason::kClientAbort, Executed::kMaybe);
    }
    if (throws_) throw std::runtime_error("boom");
    Result<int> answer = answers_.size() > 1 ? answers_[answered_] : answers_[0];
    ++answered_;
    co_return answer;
  }
  Task<void> Run(Got& got, std::string key, TimePoint until) {
    auto ask = [this] { return Ask(); };
    try {
      got.emplace(co_await flights_.Call(executor_, key, ask, until));
    } catch (const std::runtime_error&) {
      got.emplace(Fail(Code::kInternal, "thrown"));
    }
  }
  void Start(Got& got, std::string key = "a", std::stop_token stop = {}, TimePoint until = kNever) {
    Spawn(Run(got, std::move(key), until), std::move(stop));
  }
  void TearDown() override { EXPECT_EQ(flights_.flights().flights(), 0U); }

  SimExecutor executor_;
  SingleFlight<int> flights_{{.mode = policy::Mode::kEnforce}, {.name = "prices", .events = *this}};
  std::vector<std::pair<EventKind, Duration>> told_;
  std::vector<Result<int>> answers_{7};
  std::size_t answered_ = 0;
  int calls_ = 0;
  int stopped_ = 0;
  bool throws_ = false;
  Got one_;
  Got two_;
  Got three_;
};

TEST_F(SingleFlightCallTest, MakesOneCallOfThree) {
  for (Got* got : {&one_, &two_, &three_}) Start(*got);
  executor_.Run();
  EXPECT_EQ(calls_, 1);
  for (const Got& got : {one_, two_, three_}) EXPECT_EQ(got->value(), 7);
}

TEST_F(SingleFlightCallTest, MakesACallForEachKey) {
  Start(one_, "a");
  Start(two_, "b");
  executor_.Run();
  EXPECT_EQ(calls_, 2);
}

TEST_F(SingleFlightCallTest, AsksAnewOnceTheAnswerIsThere) {
  Start(one_);
  executor_.Run();
  Start(two_);
  executor_.Run();
  EXPECT_EQ(calls_, 2);
}

TEST_F(SingleFlightCallTest, SharesAFailure) {
  answers_ = {Fail(Reason::kCircuitOpen, Executed::kNo)};
  for (Got* got : {&one_, &two_}) Start(*got);
  executor_.Run();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(two_->error().reason, Reason::kCircuitOpen);
}

TEST_F(SingleFlightCallTest, AFollowerWaitsNoLongerThanItsOwnDeadline) {
  Start(one_);
  Start(two_, "a", {}, executor_.Now() + 300ms);
  executor_.RunFor(300ms);
  EXPECT_EQ(two_->error().reason, Reason::kDeadline);
  executor_.Run();
  EXPECT_EQ(one_->value(), 7);
}

TEST_F(SingleFlightCallTest, TheLeadersDeadlineIsNotTheOthers) {
  answers_ = {Fail(Reason::kDeadline, Executed::kMaybe), 7};
  Start(one_, "a", {}, executor_.Now() + 1s);
  for (Got* got : {&two_, &three_}) Start(*got);
  executor_.Run();
  EXPECT_EQ(calls_, 2) << "one of the others led in its turn";
  EXPECT_EQ(one_->error().reason, Reason::kDeadline);
  EXPECT_EQ(two_->value(), 7);
  EXPECT_EQ(three_->value(), 7);
}

TEST_F(SingleFlightCallTest, ATimeoutOfWhatIsAskedIsShared) {
  for (const Reason reason : {Reason::kUpstreamTimeout, Reason::kDeadline}) {
    calls_ = 0;
    answers_ = {Fail(reason, Executed::kMaybe)};
    for (Got* got : {&one_, &two_, &three_}) Start(*got);
    executor_.Run();
    EXPECT_EQ(calls_, 1);
    EXPECT_EQ(three_->error().reason, reason);
  }
}

TEST_F(SingleFlightCallTest, ATimeoutOfWhatIsAskedIsSharedAlsoByALeaderThatIsLate) {
  answers_ = {Fail(Reason::kUpstreamTimeout, Executed::kMaybe)};
  Start(one_, "a", {}, executor_.Now() + 1s);
  Start(two_);
  executor_.Run();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(two_->error().reason, Reason::kUpstreamTimeout);
}

TEST_F(SingleFlightCallTest, ACallThatWasGivenUpIsItsLeadersAlone) {
  answers_ = {Fail(Reason::kClientAbort, Executed::kMaybe), 7};
  for (Got* got : {&one_, &two_}) Start(*got);
  executor_.Run();
  EXPECT_EQ(one_->error().reason, Reason::kClientAbort);
  EXPECT_EQ(two_->value(), 7);
}

TEST_F(SingleFlightCallTest, TellsWhoHasFollowedAndWhoGaveUp) {
  Start(one_);
  Start(two_);
  Start(three_, "a", {}, executor_.Now() + 300ms);
  executor_.Run();
  const std::vector<std::pair<EventKind, Duration>> expected{{EventKind::kRefused, 0ms},
                                                             {EventKind::kJoined, 1s}};
  EXPECT_EQ(told_, expected);
}

TEST_F(SingleFlightCallTest, ALeaderThatIsStoppedGoesOnForTheOthers) {
  std::stop_source gone;
  Start(one_, "a", gone.get_token());
  Start(two_);
  gone.request_stop();
  executor_.Run();
  EXPECT_EQ(stopped_, 0);
  EXPECT_EQ(two_->value(), 7);
  EXPECT_EQ(calls_, 1);
}

TEST_F(SingleFlightCallTest, ALeaderThatIsStoppedStopsWhenItIsAlone) {
  std::stop_source gone;
  Start(one_, "a", gone.get_token());
  gone.request_stop();
  executor_.RunFor(1ms);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(one_->error().reason, Reason::kClientAbort);
}

TEST_F(SingleFlightCallTest, ALeaderThatIsStoppedStopsOnceTheLastFollowerHasLeft) {
  std::stop_source gone;
  std::stop_source left;
  Start(one_, "a", gone.get_token());
  Start(two_, "a", left.get_token());
  gone.request_stop();
  executor_.RunFor(100ms);
  EXPECT_EQ(stopped_, 0);
  left.request_stop();
  executor_.RunFor(1ms);
  EXPECT_EQ(two_->error().reason, Reason::kClientAbort);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(SingleFlightCallTest, AnExceptionIsItsLeadersAlone) {
  throws_ = true;
  Start(one_);
  Start(two_);
  executor_.RunFor(1s);
  throws_ = false;
  executor_.Run();
  EXPECT_EQ(one_->error().message, "thrown");
  EXPECT_EQ(two_->value(), 7);
  EXPECT_EQ(calls_, 2);
}

TEST_F(SingleFlightCallTest, MakesEachCallWhenOff) {
  flights_.flights().Apply({});
  for (Got* got : {&one_, &two_}) Start(*got);
  executor_.Run();
  EXPECT_EQ(calls_, 2);
}

/// Boards and, if it leads, lands a second later.
Task<void> Board(policy::SingleFlight& flights, Executor& executor, EventSink& trail) {
  Boarding boarding(flights, executor, "a", &trail);
  auto boarded = co_await boarding.Join(kNever);
  co_await Sleep(executor, 1s);
  boarded->lead.Land({});
}

TEST(BoardingTest, InShadowTellsTheTrailOfWhoWouldHaveFollowed) {
  struct Trail final : EventSink {
    void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
    std::vector<EventKind> kinds;
  };
  Trail all;
  Trail first;
  Trail second;
  SimExecutor executor;
  policy::SingleFlight flights({.mode = policy::Mode::kShadow}, {.name = "prices", .events = all});
  for (Trail* trail : {&first, &second}) Spawn(Board(flights, executor, *trail), {});
  executor.Run();
  EXPECT_EQ(second.kinds, std::vector{EventKind::kWouldRefuse});
  EXPECT_TRUE(first.kinds.empty());
  EXPECT_TRUE(all.kinds.empty());
}

}  // namespace
}  // namespace hale::guard
