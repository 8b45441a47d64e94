#include "hale/config/problem.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::config {
namespace {

Problem At(int line, int column, Severity severity = Severity::kError) {
  return {severity, "f", {line, column}, "p", "m"};
}

TEST(ProblemTest, PrintsPlacePathAndMessage) {
  const Problem problem{Severity::kError,
                        "hale.yaml",
                        {14, 9},
                        "services.orders.breaker.falure_rate",
                        "unknown key, did you mean failure_rate?"};
  EXPECT_EQ(Print(problem),
            "hale.yaml:14:9 services.orders.breaker.falure_rate: unknown key, did you mean "
            "failure_rate?");
}

TEST(ProblemTest, SaysWhenItIsAWarning) {
  EXPECT_EQ(Print(At(1, 2, Severity::kWarning)), "f:1:2 p: warning: m");
}

TEST(ProblemTest, LeavesOutAPlaceThatIsNotKnown) {
  EXPECT_EQ(Print(Problem{.file = "f", .message = "cannot be read"}), "f: cannot be read");
}

TEST(ProblemTest, IsOneLineWhateverWasFound) {
  EXPECT_EQ(Print(Problem{.file = "f", .message = "'a\r\nb'"}), "f: 'a\\r\\nb'");
}

TEST(ProblemTest, WarningsAreNoErrors) {
  EXPECT_FALSE(HasErrors({At(1, 1, Severity::kWarning)}));
  EXPECT_TRUE(HasErrors({At(1, 1, Severity::kWarning), At(2, 1)}));
}

TEST(ProblemTest, TidiesIntoTheOrderOfTheDocument) {
  const Problems tidy = Tidy({At(2, 1), At(1, 9), At(1, 3), At(1, 9)});
  EXPECT_EQ(tidy, (Problems{At(1, 3), At(1, 9), At(2, 1)}));
}

TEST(ProblemTest, KeepsErrorsWhenThereAreTooMany) {
  Problems many(kMaxProblems, At(1, 1, Severity::kWarning));
  for (int i = 0; i < 100; ++i) many[static_cast<std::size_t>(i)].at.line = i + 1;
  many.push_back(At(500, 1));
  const Problems tidy = Tidy(many);
  EXPECT_EQ(tidy.size(), kMaxProblems);
  EXPECT_EQ(tidy.back(), At(500, 1));
}

TEST(NearestTest, ForgivesOneSlip) {
  EXPECT_EQ(Nearest("falure_rate", {"failure_rate", "slow_rate"}), "failure_rate");
  EXPECT_EQ(Nearest("windwo", {"window", "probes"}), "window");  // neighbours swapped: one slip
  EXPECT_EQ(Nearest("by", {"to", "be"}), "be");
}

TEST(NearestTest, DoesNotCareForCaseAndDashes) {
  EXPECT_EQ(Nearest("FailureRate", {"failure_rate"}), "failure_rate");
  EXPECT_EQ(Nearest("open-for", {"open_for"}), "open_for");
}

TEST(NearestTest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(Nearest("timeout", {"breaker", "retry"}), "");
  EXPECT_EQ(Nearest("", {"a"}), "");
}

TEST(NearestTest, ASwapInAShortWordIsOneSlip) {
  // Two substitutions would be too far for two letters.
  EXPECT_EQ(Nearest("yb", {"by"}), "by");
}

TEST(NearestTest, DoesNotSpendTimeOnLongWords) {
  EXPECT_EQ(Nearest(std::string(65, 'a'), {"aaaa"}), "");
}

}  // namespace
}  // namespace hale::config
