#include "hale/cluster/static_registry.h"

#include <gtest/gtest.h>

#include <optional>
#include <stop_token>

#include "hale/base/sim_executor.h"

namespace hale::cluster {
namespace {

Task<void> Ask(Registry& registry, Position after, std::optional<Result<Update>>& answer) {
  answer = co_await registry.Next(std::move(after));
}

class StaticRegistryTest : public testing::Test {
 protected:
  SimExecutor executor_;
  StaticRegistry registry_{executor_, {{.address = "a:1"}, {.address = "b:1"}}};
  std::optional<Result<Update>> answer_;
};

TEST_F(StaticRegistryTest, AnswersAtOnceWhoKnowsNothing) {
  Spawn(Ask(registry_, Position(), answer_));
  ASSERT_TRUE(answer_);
  EXPECT_EQ((*answer_)->instances.size(), 2U);
  EXPECT_TRUE((*answer_)->authoritative);
}

TEST_F(StaticRegistryTest, WaitsUntilTheListIsReplaced) {
  const Position known = executor_.Wait(registry_.Next(Position()))->position;
  Spawn(Ask(registry_, known, answer_));
  executor_.Run();
  EXPECT_FALSE(answer_);
  registry_.Replace({{.address = "c:1"}});
  executor_.Run();
  ASSERT_TRUE(answer_);
  EXPECT_GT((*answer_)->position, known);
  EXPECT_EQ((*answer_)->instances[0].address, "c:1");
}

TEST_F(StaticRegistryTest, DoesNotMissAReplacementBetweenTwoQuestions) {
  const Position known = executor_.Wait(registry_.Next(Position()))->position;
  registry_.Replace({{.address = "c:1"}});
  EXPECT_EQ(executor_.Wait(registry_.Next(known))->instances[0].address, "c:1");
}

TEST_F(StaticRegistryTest, EndsItsWaitWhenStopped) {
  const Position known = executor_.Wait(registry_.Next(Position()))->position;
  std::stop_source stop;
  Spawn(Ask(registry_, known, answer_), stop.get_token());
  stop.request_stop();
  executor_.Run();
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->error().code, Code::kCancelled);
}

}  // namespace
}  // namespace hale::cluster
