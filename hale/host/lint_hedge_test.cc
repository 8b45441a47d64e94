#include <gtest/gtest.h>

#include <string>

#include "hale/host/document.h"

namespace hale::host {
namespace {

/// What is said of a service with two instances and these options, and of a route to it.
std::string With(const std::string& options, const std::string& route = "",
                 const std::string& instances = "\"h:1\", \"h:2\"") {
  std::string text = "services: {a: {instances: [" + instances + "], " + options + "}}\n";
  text.append("routes: [{match: /, service: a").append(route).append("}]\n");
  std::string said;
  for (const auto& problem : ParseDocument(text, "f").problems) {
    said.append(problem.path).append(": ").append(problem.message).append("\n");
  }
  return said;
}

TEST(LintHedgeTest, HasNothingToSayOfItsDefaults) {
  EXPECT_EQ(With("hedge: {mode: enforce}"), "");
  EXPECT_EQ(With("deadline: {mode: enforce}"), "");
}

TEST(LintHedgeTest, ABudgetOfNothingHedgesNothing) {
  EXPECT_EQ(With("hedge: {mode: enforce}, retry: {budget: {ratio: 0}}"),
            "services.a.hedge.mode: no second attempt is ever sent: retry.budget.ratio is 0, and "
            "hedges have nothing of its reserve\n");
}

TEST(LintHedgeTest, APercentileFitsTheBudget) {
  EXPECT_EQ(
      With("hedge: {mode: enforce, percentile: 90%}"),
      "services.a.hedge.percentile: 90% and slower would be hedged, 10% of the calls, and the "
      "budget lets hedges have half of its 10%: 5%\n");
  EXPECT_EQ(With("hedge: {mode: enforce, percentile: 90%}, retry: {budget: 20%}"), "");
}

TEST(LintHedgeTest, ASecondAttemptNeedsASecondInstance) {
  EXPECT_EQ(With("hedge: {mode: enforce}", "", "\"h:1\""),
            "services.a.hedge.mode: there is one instance: a slow call has nobody else to go to\n");
}

TEST(LintHedgeTest, ASecondAttemptComesBeforeTheEndOfTheFirst) {
  EXPECT_EQ(With("hedge: {mode: enforce, floor: 200ms}, timeout: {per_try: 200ms}"),
            "services.a.hedge.floor: no attempt is alone for 200ms: one of routes[0] ends after "
            "200ms\n");
  EXPECT_EQ(With("hedge: {mode: enforce, floor: 199ms}, timeout: {per_try: 200ms}"), "");
}

TEST(LintHedgeTest, WhatMayNotBeSentTwiceIsNotHedged) {
  const std::string said =
      "services.a.hedge.mode: no route to it takes requests that may be sent twice, so none is "
      "hedged\n";
  EXPECT_EQ(With("hedge: {mode: enforce}", ", idempotent: no"), said);
  EXPECT_EQ(With("hedge: {mode: shadow}", ", idempotent: no"), said);
}

TEST(LintHedgeTest, ADeadlineThatMayRefuseAllIsDangerous) {
  EXPECT_EQ(With("deadline: {mode: enforce, most_refused: 100%}"),
            "services.a.deadline.most_refused: 100% of the calls may be refused: a caller whose "
            "deadlines are wrong stops the service; 20% leaves most of them\n");
}

}  // namespace
}  // namespace hale::host
