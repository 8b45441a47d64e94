#include "hale/host/balance_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/host/said.h"

namespace hale::host {
namespace {

/// What is said of a service of four instances with this balance, without the places.
std::string Said(const std::string& balance, const std::string& node = "{service: edge}") {
  return SaidOf("node: " + node + "\nservices: {a: {balance: {" + balance +
                "}, instances: [\"h:1\", \"h:2\", {address: \"h:3\", zone: z}, "
                "{address: \"h:4\", metadata: {group: \"1\"}}]}}\n");
}

bool Says(const std::string& said, const std::string& words) {
  return said.find(words) != std::string::npos;
}

TEST(BalanceRulesTest, HaveNothingAgainstWhatIsMeant) {
  for (const char* fine :
       {"kind: p2c", "kind: least_request", "kind: maglev, key: client_ip",
        "kind: maglev, key: \"header:x-user\"", "kind: maglev, key: \"cookie:session\"",
        "subset: 2", "subset: {size: 2, client: 1, clients: 2}", "priority: group"}) {
    EXPECT_EQ(Said(fine), "") << fine;
  }
  EXPECT_EQ(Said("zone: own", "{zone: z}"), "");
}

TEST(BalanceRulesTest, RefuseAKeyThatCannotBeRead) {
  EXPECT_EQ(Said("kind: maglev, key: client_io"),
            "services.a.balance.key: 'client_io' is not client_ip, header:NAME or cookie:NAME; "
            "did you mean client_ip?\n");
  EXPECT_TRUE(Says(Said("kind: maglev, key: \"header:a b\""), "'a b' is not the name of a header"));
}

TEST(BalanceRulesTest, RefuseAPlaceThatIsNoneOfTheFleet) {
  EXPECT_EQ(Said("subset: {size: 2, client: 3, clients: 3}"),
            "services.a.balance.subset.client: 3 is not below clients 3: they count from 0\n");
}

TEST(BalanceRulesTest, WarnOfKeysThatNobodyUses) {
  EXPECT_TRUE(Says(Said("kind: maglev"), "maglev without a key picks as p2c"));
  EXPECT_TRUE(Says(Said("kind: p2c, key: client_ip"), "is used by maglev alone"));
  EXPECT_TRUE(Says(Said("kind: maglev, key: client_ip, subset: 2"), "within its own subset"));
}

TEST(BalanceRulesTest, WarnOfReportsThatNobodyReads) {
  EXPECT_EQ(Said("kind: round_robin, reports: use"),
            "services.a.balance.reports: warning: are not used: round_robin takes turns, whatever "
            "load an instance reports; write kind: p2c or least_request\n");
  EXPECT_TRUE(Says(Said("kind: weighted, reports: use"), "weighted takes turns"));
  for (const char* fine : {"reports: use", "kind: least_request, reports: use",
                           "kind: maglev, key: client_ip, reports: use", "kind: round_robin"}) {
    EXPECT_EQ(Said(fine), "") << fine;
  }
}

TEST(BalanceRulesTest, WarnOfAZoneThatNobodyIsIn) {
  EXPECT_TRUE(Says(Said("zone: own"), "node.zone says nothing"));
  EXPECT_TRUE(Says(Said("zone: own", "{zone: x}"), "none of 4 instances is in zone 'x'"));
  EXPECT_TRUE(Says(Said("zone: {share: 0.5}"), "no effect without prefer: own"));
}

TEST(BalanceRulesTest, WarnOfASubsetThatIsNone) {
  EXPECT_TRUE(Says(Said("subset: 4"), "4 of 4 instances is no subset"));
  EXPECT_TRUE(Says(Said("subset: {size: 1, clients: 3}"),
                   "3 processes × 1 reach 3 of 4 instances: the others get nothing"));
}

TEST(BalanceRulesTest, WarnOfAWordThatNoInstanceHas) {
  EXPECT_TRUE(Says(Said("priority: tier"), "none of 4 instances has 'tier' in its metadata"));
}

TEST(BalanceRulesTest, WarnOfARestAboveItsMost) {
  const std::string text =
      "services: {a: {instances: [\"h:1\"], outlier: {deviation: {rest: 10min}}}}";
  const auto problems = ParseDocument(text, "f").problems;
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].path, "services.a.outlier.deviation.rest");
}

}  // namespace
}  // namespace hale::host
