#include "hale/host/admission_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/host/said.h"

namespace hale::host {
namespace {

/// What is said of a document with one service with this bulkhead, and one route, without places.
std::string Said(const std::string& bulkhead, const std::string& route = "") {
  return SaidOf("services: {a: {instances: [\"h:1\"], bulkhead: {" + bulkhead +
                "}}}\nroutes: [{service: a, name: r" + route + "}]\n");
}

TEST(AdmissionRulesTest, HasNothingAgainstWhatIsMeantSo) {
  EXPECT_EQ(Said("order: codel, target: 10ms, interval: 50ms"), "");
  EXPECT_EQ(Said("partitions: {by: \"header:x-tenant\", shares: {a: 30%, \"*\": 70%}, lend: 0%}"),
            "");
  EXPECT_EQ(Said("partitions: {by: priority, shares: {critical_plus: 0.3}}"), "");
  EXPECT_EQ(Said("partitions: {by: route, shares: {r: 30%}}", ", priority: sheddable"), "");
  EXPECT_EQ(Said("limit: 10", ", fair_by: \"header:x-user\""), "");
}

TEST(AdmissionRulesTest, RefusesToPromiseMoreThanThereIs) {
  EXPECT_TRUE(Said("partitions: {by: route, shares: {r: 60%, \"*\": 50%}}")
                  .contains("promise 110% in all, at most 100% is there"));
  EXPECT_TRUE(Said("partitions: {by: route, shares: {r: 0}}").contains("0% is out of range"));
  EXPECT_TRUE(Said("partitions: {by: route, shares: {r: 1.5}}").contains("150% is out of range"));
}

TEST(AdmissionRulesTest, RefusesMoreSharesThanItKnows) {
  std::string shares;
  for (int i = 0; i < 17; ++i) shares += "t" + std::to_string(i) + ": 1%, ";
  EXPECT_TRUE(Said("partitions: {by: \"header:x\", shares: {" + shares + "\"*\": 1%}}")
                  .contains("18 shares, at most 16 are allowed"));
}

TEST(AdmissionRulesTest, RefusesWhatNothingIsDividedBy) {
  EXPECT_TRUE(Said("partitions: {by: tenant, shares: {r: 30%}}")
                  .contains("'tenant' is not header:NAME, priority or route"));
  EXPECT_TRUE(Said("partitions: {by: call, shares: {r: 30%}}")
                  .contains("'call' is not header:NAME, priority or route"));
  EXPECT_TRUE(Said("partitions: {by: priority, shares: {high: 30%}}")
                  .contains("'high' is not critical_plus"));
  EXPECT_TRUE(Said("limit: 10", ", fair_by: ip").contains("'ip' is not client_ip or header:NAME"));
  EXPECT_FALSE(Said("limit: 10", ", priority: high").empty());
}

TEST(AdmissionRulesTest, RefusesAHeaderThatNoRequestCanHave) {
  EXPECT_TRUE(Said("partitions: {by: \"header:a b\", shares: {r: 30%}}")
                  .contains("partitions.by: 'a b' is not the name of a header"));
  EXPECT_TRUE(Said("limit: 10", ", fair_by: \"header:x user\"")
                  .contains("'header:x user' is not client_ip or header:NAME"));
}

TEST(AdmissionRulesTest, WarnsOfSharesThatPromiseNothing) {
  EXPECT_TRUE(Said("limit: 2, partitions: {by: route, shares: {r: 30%}}")
                  .contains("30% of limit 2 is less than one place"));
  EXPECT_TRUE(Said("partitions: {by: route}").contains("nothing is promised to anybody"));
  EXPECT_TRUE(Said("partitions: {shares: {r: 30%}}").contains("nothing is divided"));
  EXPECT_TRUE(Said("partitions: {by: route, shares: {s: 30%}}").contains("is no route to this"));
}

TEST(AdmissionRulesTest, WarnsOfLendingWithoutAQueue) {
  EXPECT_TRUE(Said("queue: 0, partitions: {by: route, shares: {r: 30%}}")
                  .contains("with queue 0 a lent place goes to whoever comes first"));
  EXPECT_EQ(Said("queue: 0, partitions: {by: route, shares: {r: 30%}, lend: 0}"), "");
}

TEST(AdmissionRulesTest, WarnsOfATargetThatNeverCounts) {
  EXPECT_TRUE(Said("order: codel, max_wait: 5ms").contains("5ms is not below max_wait 5ms"));
  EXPECT_TRUE(Said("target: 10ms").contains("only order codel has a target"));
  EXPECT_TRUE(Said("interval: 10ms").contains("only order codel has an interval"));
  EXPECT_TRUE(Said("order: codel, interval: 4ms").contains("4ms is below the target 5ms"));
}

}  // namespace
}  // namespace hale::host
