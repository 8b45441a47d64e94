#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"
#include "hale/guard/fallback.h"
#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

using policy::Mode;

/// What a layer calls: the next one, or the thing itself.
class Callee {
 public:
  virtual ~Callee() = default;
  virtual Task<Result<int>> operator()(const Attempt& attempt) = 0;
};

/// Refuses each call after 100 ms.
class Broken final : public Callee {
 public:
  explicit Broken(Executor& executor) : executor_(executor) {}
  Task<Result<int>> operator()(const Attempt&) override {
    ++calls;
    const bool slept = co_await Sleep(executor_, 100ms);
    if (!slept) co_return Fail(Code::kCancelled, "stopped");
    co_return Fail(Reason::kUpstreamConnect, Executed::kNo);
  }
  int calls = 0;

 private:
  Executor& executor_;
};

class GuardLayer final : public Callee {
 public:
  GuardLayer(Executor& executor, const GuardOptions& options, const GuardContext& context,
             Callee& inner)
      : executor_(executor), guard_(options, context), inner_(inner) {}
  Task<Result<int>> operator()(const Attempt&) override {
    co_return co_await guard_.CallAsync(executor_, inner_);
  }

 private:
  Executor& executor_;
  Guard guard_;
  Callee& inner_;
};

class FallbackLayer final : public Callee {
 public:
  explicit FallbackLayer(Callee& inner) : inner_(inner) {}
  Task<Result<int>> operator()(const Attempt& attempt) override {
    Result<int> result = co_await inner_(attempt);
    co_return fallback_.Or(std::move(result), [](const Error&) { return 0; });
  }

 private:
  Fallback fallback_{{.mode = Mode::kEnforce,
                      .after = {Reason::kUpstreamConnect, Reason::kCircuitOpen,
                                Reason::kRateLimited, Reason::kDeadline}}};
  Callee& inner_;
};

/// Two layers around what always fails, each alone in a guard of its own, and four calls in a row.
class CompositionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Callee> Layer(const std::string& name, Callee& inner) {
    if (name == "fallback") return std::make_unique<FallbackLayer>(inner);
    GuardOptions options{.bulkhead = {.mode = Mode::kOff},
                         .breaker = {.mode = Mode::kOff},
                         .retry = {.mode = Mode::kOff}};
    if (name == "retry") {
      options.retry = {.attempts = 3, .backoff_base = 1ms, .backoff_max = 1ms};
    } else if (name == "breaker") {
      options.breaker = {.consecutive_failures = 2, .open_for = 1h, .open_max = 1h};
    } else if (name == "limiter") {
      options.limit = {.rate = {1, 24h}, .burst = 3};
    } else if (name == "timeout") {
      options.deadline = 250ms;
    }
    return std::make_unique<GuardLayer>(executor_, options, context_, inner);
  }

  Result<int> Call(Callee& callee) {
    const Attempt attempt(1, kNever, executor_.clock(), {});
    return executor_.Wait(callee(attempt));
  }

  /// A row of the table in doc/guard.md.
  std::string Row(const std::string& outer, const std::string& inner) {
    Broken target(executor_);
    const auto inside = Layer(inner, target);
    const auto outside = Layer(outer, *inside);
    std::string row = "| " + outer + " | " + inner + " | ";
    std::string ends;
    for (int i = 0; i < 4; ++i) {
      const Result<int> result = Call(*outside);
      if (!ends.empty()) ends += ", ";
      ends += result ? "fallback" : std::string(Word(result.error().reason));
    }
    return row + std::to_string(target.calls) + " | " + ends + " |";
  }

  SimExecutor executor_;
  SeededRandom random_{3};
  GuardContext context_{.clock = executor_.clock(), .random = &random_, .idle = {}};
};

/// As it stands in doc/guard.md: outer, inner, calls sent, how the four calls end.
constexpr const char* kTable[] = {
    "| retry | breaker | 2 | circuit_open, circuit_open, circuit_open, circuit_open |",
    "| breaker | retry | 6 | upstream_connect, upstream_connect, circuit_open, circuit_open |",
    "| retry | limiter | 3 | upstream_connect, rate_limited, rate_limited, rate_limited |",
    "| limiter | retry | 9 | upstream_connect, upstream_connect, upstream_connect, rate_limited |",
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one row, too long for a line
    "| retry | timeout | 12 | upstream_connect, upstream_connect, upstream_connect, "
    "upstream_connect |",
    "| timeout | retry | 12 | deadline, deadline, deadline, deadline |",
    "| retry | fallback | 4 | fallback, fallback, fallback, fallback |",
    "| fallback | retry | 12 | fallback, fallback, fallback, fallback |",
    "| breaker | limiter | 2 | upstream_connect, upstream_connect, circuit_open, circuit_open |",
    "| limiter | breaker | 2 | upstream_connect, upstream_connect, circuit_open, rate_limited |",
    "| breaker | timeout | 2 | upstream_connect, upstream_connect, circuit_open, circuit_open |",
    "| timeout | breaker | 2 | upstream_connect, upstream_connect, circuit_open, circuit_open |",
    "| breaker | fallback | 4 | fallback, fallback, fallback, fallback |",
    "| fallback | breaker | 2 | fallback, fallback, fallback, fallback |",
    "| limiter | timeout | 3 | upstream_connect, upstream_connect, upstream_connect, rate_limited "
    "|",
    "| timeout | limiter | 3 | upstream_connect, upstream_connect, upstream_connect, rate_limited "
    "|",
    "| limiter | fallback | 3 | fallback, fallback, fallback, rate_limited |",
    "| fallback | limiter | 3 | fallback, fallback, fallback, fallback |",
    "| timeout | fallback | 4 | fallback, fallback, fallback, fallback |",
    "| fallback | timeout | 4 | fallback, fallback, fallback, fallback |",
};

class OrderTest : public CompositionTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(OrderTest, ComesToWhatTheTableSays) {
  const std::string row = GetParam();
  std::istringstream words(row);
  std::string outer;
  std::string inner;
  std::string bar;
  words >> bar >> outer >> bar >> inner;
  EXPECT_EQ(Row(outer, inner), row);
}

INSTANTIATE_TEST_SUITE_P(EachPair, OrderTest, ::testing::ValuesIn(kTable));

TEST(CompositionTableTest, StandsInTheGuide) {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ostringstream text;
  text << std::ifstream(root / "doc" / "guard.md").rdbuf();
  const std::string guide = text.str();
  for (const char* row : kTable) {
    EXPECT_NE(guide.find(std::string(row) + "\n"), std::string::npos) << row;
  }
}

/// Never answers, but ends when it is stopped.
class Hanging final : public Callee {
 public:
  explicit Hanging(Executor& executor) : executor_(executor) {}
  Task<Result<int>> operator()(const Attempt&) override {
    ++calls;
    const bool slept = co_await Sleep(executor_, 1h);
    static_cast<void>(slept);
    co_return Fail(Code::kCancelled, "stopped");
  }
  int calls = 0;

 private:
  Executor& executor_;
};

TEST_F(CompositionTest, ATimeoutOutsideOfABreakerHidesFromItWhatHangs) {
  Hanging target(executor_);
  const auto breaker = Layer("breaker", target);
  const auto timeout = Layer("timeout", *breaker);
  for (int i = 0; i < 4; ++i) (void)Call(*timeout);
  EXPECT_EQ(target.calls, 4);  // to the breaker a caller has gone: neutral
}

TEST_F(CompositionTest, ATimeoutInsideOfABreakerIsAFailureToIt) {
  Hanging target(executor_);
  const auto timeout = Layer("timeout", target);
  const auto breaker = Layer("breaker", *timeout);
  for (int i = 0; i < 4; ++i) (void)Call(*breaker);
  EXPECT_EQ(target.calls, 2);
}

TEST_F(CompositionTest, InOneGuardTheDeadlineIsAFailureToItsBreaker) {
  Hanging target(executor_);
  Guard guard({.breaker = {.consecutive_failures = 2}, .deadline = 250ms}, context_);
  for (int i = 0; i < 4; ++i) (void)executor_.Wait(guard.CallAsync<Callee>(executor_, target));
  EXPECT_EQ(target.calls, 2);
}

}  // namespace
}  // namespace hale::guard
