#include "hale/host/limit_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/host/said.h"

namespace hale::host {
namespace {

/// What is said of a document with one service, one route and these limits, without places.
std::string Said(const std::string& of_route, const std::string& of_service = "[]",
                 const std::string& rest = "log: info") {
  return SaidOf("services: {a: {instances: [\"h:1\"], limit: " + of_service +
                "}}\nroutes: [{service: a, deadline: 2s, limit: " + of_route + "}]\n" + rest +
                "\n");
}

std::string EdgeSaid(const std::string& of_route, const std::string& of_service = "[]") {
  return Said(of_route, of_service, "listen: [\"0.0.0.0:80\"]");
}

TEST(LimitRulesTest, EachKindIsFineByItself) {
  EXPECT_EQ(Said("[{}, {kind: pacing, burst: 5, max_wait: 1s}, {kind: sliding_log, rate: 6000/min},"
                 " {warm_up: 10s, cold: 5}, {cost: bytes, rate: 1000000/s, estimate: 65536},"
                 " {by: client_ip, max_keys: 100, when_full: refuse, kind: pacing}]",
                 "[{rate: 10000/s}]"),
            "");
}

TEST(LimitRulesTest, ALimitIsByAllAClientOrAHeader) {
  EXPECT_EQ(Said("[{by: client-ip}]"),
            "routes[0].limit[0].by: 'client-ip' is not all, client_ip or header:NAME; did you mean "
            "client_ip?\n");
  EXPECT_TRUE(Said("[{by: \"header:\"}]").contains("is not all, client_ip or"));
  EXPECT_TRUE(Said("[{by: \"header:a b\"}]").contains("is not the name of a header"));
  EXPECT_EQ(Said("[{by: all}, {by: client_ip}, {by: \"header:x-u\"}]"), "");
}

TEST(LimitRulesTest, ThoseOfAServiceAreJudgedToo) {
  EXPECT_TRUE(Said("[]", "[{by: host}]").starts_with("services.a.limit[0].by: 'host' is not"));
}

TEST(LimitRulesTest, AListHasAnEnd) {
  std::string nine = "[{}";
  for (int i = 0; i < 8; ++i) nine += ", {}";
  EXPECT_EQ(Said(nine + "]"), "routes[0].limit: 9 limits, at most 8\n");
}

TEST(LimitRulesTest, ALogIsOneForAllAndBounded) {
  EXPECT_TRUE(Said("[{kind: sliding_log, by: client_ip}]").contains("counts all together"));
  EXPECT_EQ(Said("[{kind: sliding_log, rate: 100001/h}]"),
            "routes[0].limit[0].rate: 100001 are remembered one by one, at most 100000; write "
            "kind: token_bucket\n");
}

TEST(LimitRulesTest, OnlyATokenBucketSettlesBytesAndWarmsUp) {
  EXPECT_TRUE(Said("[{kind: pacing, cost: bytes, rate: 10000/s}]").contains("token_bucket only"));
  EXPECT_TRUE(Said("[{kind: pacing, warm_up: 1s}]").contains("only a token_bucket by all"));
  EXPECT_TRUE(Said("[{by: client_ip, warm_up: 1s}]").contains("only a token_bucket by all"));
}

TEST(LimitRulesTest, AnEstimateFitsIntoTheBurst) {
  EXPECT_EQ(Said("[{cost: bytes, rate: 10000/s, burst: 4000}]"),
            "routes[0].limit[0].estimate: 4096 bytes are more than the burst of 4000: no request "
            "would pass\n");
  EXPECT_EQ(Said("[{cost: bytes, rate: 10000/s, burst: 4096}]"), "");
}

TEST(LimitRulesTest, ConcludesNothingFromARateOrABurstThatCannotBeRead) {
  for (const char* unread : {"rate: fast", "burst: many"}) {
    const std::string said = Said("[{cost: bytes, " + std::string(unread) + "}]");
    EXPECT_TRUE(said.contains("limit[0]." + std::string(unread).substr(0, 4))) << said;
    EXPECT_FALSE(said.contains("estimate")) << said;
  }
}

TEST(LimitRulesTest, SaysWhatIsNotUsed) {
  for (const char* unused : {"max_wait: 1s", "kind: sliding_log, burst: 5", "cold: 4",
                             "estimate: 10", "max_keys: 50", "when_full: evict"}) {
    EXPECT_TRUE(Said("[{" + std::string(unused) + "}]").contains("is not used: only")) << unused;
  }
}

TEST(LimitRulesTest, AWaitFitsIntoHalfOfTheDeadline) {
  EXPECT_EQ(Said("[{kind: pacing, max_wait: 1001ms}]"),
            "routes[0].limit[0].max_wait: warning: 1001ms is above half of the deadline 2s; it "
            "never waits longer than 1s\n");
}

TEST(LimitRulesTest, MoreThanOneRequestCanWaitForATurn) {
  EXPECT_EQ(
      Said("[{kind: pacing, rate: 4/s, max_wait: 200ms}]"),
      "routes[0].limit[0].rate: warning: 4/s is less than one turn in 200ms, and nobody waits "
      "longer: of calls that come together at most one waits, those after it are refused\n");
  EXPECT_EQ(Said("[]", "[{kind: pacing, rate: 5/s, max_wait: 200ms}]"), "");
}

TEST(LimitRulesTest, BytesAreNotTakenForRequests) {
  EXPECT_EQ(Said("[{cost: bytes, rate: 100/s, burst: 5000}]"),
            "routes[0].limit[0].rate: warning: 100/s are bytes, less than a head has\n");
}

TEST(LimitRulesTest, AClientCannotEvadeALimit) {
  EXPECT_EQ(EdgeSaid("[{rate: 10/s, by: \"header:x-user\"}]"),
            "routes[0].limit[0].by: warning: a client of an edge listener chooses x-user "
            "itself, so it gets 10/s as often as it invents a value; add a limit by client_ip\n");
  EXPECT_EQ(EdgeSaid("[{rate: 10/s, by: \"header:x-user\"}, {by: client_ip}]"), "");
  EXPECT_EQ(EdgeSaid("[{rate: 10/s, by: \"header:x-user\"}]", "[{rate: 1000/s}]"), "");
}

TEST(LimitRulesTest, AClientCannotLockOthersOut) {
  EXPECT_EQ(EdgeSaid("[{}, {by: \"header:x-user\", when_full: refuse}]"),
            "routes[0].limit[1].when_full: warning: a client that invents 65536 values of x-user "
            "has everybody new refused; write share or evict\n");
}

}  // namespace
}  // namespace hale::host
