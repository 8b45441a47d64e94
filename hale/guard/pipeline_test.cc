#include "hale/guard/pipeline.h"

#include <gtest/gtest.h>

namespace hale::guard {
namespace {

TEST(PipelineTest, IsPrintedALineALayerInTheirOrder) {
  const std::string text = Describe({.name = "ledger", .limit = {.rate = {100, 1s}}});
  std::size_t at = 0;
  for (const char* line :
       {"ledger\n", "  deadline      enforce  15s for the whole call\n",
        "  limit         enforce  100/s, a second's worth at once\n",
        "  bulkhead      enforce  1024 in flight, 1024 may wait 200ms\n",
        "  retry         enforce  2 attempts of what was not executed, back-off below 25ms to "
        "250ms, out of 10% of the calls and 10 more in 10s\n",
        "  breaker       enforce  opens at 50% of at least 20 calls in 10s or 5 in a row, rests "
        "5s\n",
        "  per_try       enforce  automatic\n"}) {
    at = text.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << "is not in\n" << text;
  }
}

TEST(PipelineTest, ALayerThatIsOffIsPrintedWithoutFigures) {
  const std::string text = Describe({.breaker = {.mode = policy::Mode::kOff}});
  EXPECT_NE(text.find("\n  breaker       off\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  limit         off\n"), std::string::npos) << text;
}

TEST(PipelineTest, ALayerInShadowSaysSo) {
  const std::string text = Describe({.bulkhead = {.mode = policy::Mode::kShadow, .queue = 0}});
  EXPECT_NE(text.find("  bulkhead      shadow   1024 in flight, none waits\n"), std::string::npos)
      << text;
}

TEST(PipelineTest, TheDefaultsCanBe) { EXPECT_TRUE(Check({}).empty()); }

TEST(PipelineTest, AllThatIsWrongIsSaidAtOnce) {
  const GuardOptions bad{.limit = {.rate = {0, 1s}},
                         .breaker = {.failure_rate = 1.5},
                         .retry = {.budget = {.ratio = -0.1}},
                         .deadline = 0s};
  EXPECT_EQ(Print(Check(bad)),
            "limit.rate: 0/s is out of range, 1/8760h to 1000000000/s\n"
            "breaker.failure_rate: 1.5 is out of range, 0.01 to 1\n"
            "retry.budget.ratio: -0.1 is out of range, 0 to 1\n"
            "deadline: 0s is out of range, 1ms to 24h\n");
}

TEST(PipelineTest, SharesOfTheBulkheadArePrinted) {
  const std::string text = Describe({.bulkhead = {.partitions = {.shares = {{"gold", 0.4}}}}});
  EXPECT_NE(text.find("1024 may wait 200ms, 40% for gold\n"), std::string::npos) << text;
}

TEST(PipelineTest, EachCallOfAGuardSaysItsPartitionItself) {
  GuardOptions options{.bulkhead = {.partitions = {.by = "call", .shares = {{"a", 0.5}}}}};
  EXPECT_TRUE(Check(options).empty());
  options.bulkhead.partitions.by = "route";
  EXPECT_EQ(
      Print(Check(options)),
      "bulkhead.partitions.by: \"route\" is not call: in a guard each call says its partition "
      "itself\n");
  options.bulkhead.partitions.by = "";
  EXPECT_EQ(Check(options).size(), 1U) << "nothing would be divided";
}

TEST(PipelineTest, SharesPromiseNoMoreThanThereIs) {
  const GuardOptions bad{
      .bulkhead = {.partitions = {.by = "call", .shares = {{"a", 1.5}, {"b", 0.5}}}}};
  EXPECT_EQ(Print(Check(bad)),
            "bulkhead.partitions.shares.a: 150% is out of range, above 0 to 100% is allowed\n"
            "bulkhead.partitions.shares: promise 200% in all, at most 100% is there\n");
}

TEST(PipelineTest, AChangeIsShownByItsPaths) {
  const GuardOptions before;
  const GuardOptions after{.breaker = {.open_for = 7s}, .idempotent = true};
  EXPECT_EQ(Print(Diff(before, after)),
            "breaker.open_for: 5s -> 7s\n"
            "idempotent: false -> true\n");
}

}  // namespace
}  // namespace hale::guard
