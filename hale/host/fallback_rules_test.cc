#include "hale/host/fallback_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/host/said.h"

namespace hale::host {
namespace {

/// What is said of a document whose one route has this besides its service, without places.
std::string Said(const std::string& of_route) {
  return SaidOf(
      "services: {a: {instances: [\"h:1\"]}, archive: {instances: [\"h:2\"]}}\n"
      "routes: [{service: a, " +
      of_route + "}]\n");
}

TEST(FallbackRulesTest, EachKindIsFineByItselfAndWithTheOthers) {
  EXPECT_EQ(Said("fallback: {after: [circuit_open, no_instance, deadline], status: 200, "
                 "body: '{\"orders\": []}'}"),
            "");
  EXPECT_EQ(Said("fallback: {last_good: 5min}"), "");
  EXPECT_EQ(Said("fallback: {service: archive}"), "");
  EXPECT_EQ(
      Said("fallback: {service: archive, last_good: {max_age: 1h, by: [accept]}, status: 503}"),
      "");
  EXPECT_EQ(Said("single_flight: enforce"), "");
}

TEST(FallbackRulesTest, AReasonIsOneOfThoseWithWhichACallEnds) {
  EXPECT_TRUE(Said("fallback: {after: [circuit_opn], status: 200}").contains("circuit_open"));
  EXPECT_TRUE(Said("fallback: {after: [rate_limited], status: 200}")
                  .starts_with("routes[0].fallback.after[0]: 'rate_limited' is not one of "
                               "circuit_open, probing, "));
}

TEST(FallbackRulesTest, AnotherServiceIsThereAndIsAnother) {
  EXPECT_EQ(Said("fallback: {service: archiv}"),
            "routes[0].fallback.service: no service 'archiv', did you mean archive?\n");
  EXPECT_TRUE(Said("fallback: {service: a}").contains("the service that the route has already"));
}

TEST(FallbackRulesTest, ProposesNobodyToStandInForItself) {
  EXPECT_EQ(Said("fallback: {service: aa}"),
            "routes[0].fallback.service: no service 'aa', there are archive\n");
  EXPECT_EQ(SaidOf("services: {a: {instances: [\"h:1\"]}}\n"
                   "routes: [{service: a, fallback: {service: aa}}]\n"),
            "routes[0].fallback.service: no service 'aa': there is no other\n");
}

TEST(FallbackRulesTest, AStatusEndsAnAnswer) {
  EXPECT_TRUE(Said("fallback: {status: 103}").contains("103 is not a status that ends"));
  EXPECT_TRUE(Said("fallback: {status: 200, after_status: [404]}").contains("500 to 599"));
}

TEST(FallbackRulesTest, ANameIsOneOfAHeader) {
  EXPECT_TRUE(Said("fallback: {status: 200, headers: {\"a b\": c}}").contains("not the name of"));
  EXPECT_TRUE(Said("fallback: {last_good: {max_age: 1s, by: [\"a b\"]}}").contains("'a b'"));
  EXPECT_TRUE(Said("single_flight: {by: [\"\"]}").contains("single_flight.by[0]"));
}

TEST(FallbackRulesTest, AHeaderIsNotOneThatHaleWrites) {
  EXPECT_EQ(Said("fallback: {status: 200, headers: {Content-Length: \"2\"}, body: ok}"),
            "routes[0].fallback.headers.Content-Length: is written by Hale itself, as "
            "content-length, what is of one connection, x-request-id and hale-* are; any other "
            "header is allowed\n");
  for (const char* own : {"transfer-encoding", "Connection", "keep-alive", "te", "trailer",
                          "upgrade", "proxy-connection", "X-Request-Id", "Hale-Reason"}) {
    EXPECT_TRUE(Said("fallback: {status: 200, headers: {" + std::string(own) + ": a}}")
                    .contains("is written by Hale itself"))
        << own;
  }
  EXPECT_EQ(Said("fallback: {status: 200, headers: {hale: a, age: \"0\", content-type: b}}"), "");
}

TEST(FallbackRulesTest, SaysWhichStatusHasNoBody) {
  EXPECT_EQ(Said("fallback: {status: 204, body: ok}"),
            "routes[0].fallback.body: warning: is never given: a 204 has none; write status: 200, "
            "or leave it out\n");
  EXPECT_TRUE(Said("fallback: {status: 304, body: ok}").contains("a 304 has none"));
  EXPECT_EQ(Said("fallback: {status: 204}"), "");
}

TEST(FallbackRulesTest, SaysWhatGivesNothing) {
  EXPECT_TRUE(Said("fallback: {after: [deadline]}").contains("gives nothing"));
  EXPECT_EQ(Said("fallback: {last_good: 1s, body: x}"),
            "routes[0].fallback.body: warning: is never given: there is no status\n");
  EXPECT_EQ(Said("fallback: {mode: off, after: [deadline]}"), "");
}

TEST(FallbackRulesTest, SaysWhatNeverFits) {
  EXPECT_TRUE(Said("fallback: {last_good: {max_age: 1s, memory: 8KiB, body: 1MiB}}")
                  .contains("an answer of 1MiB does not fit into a memory of 8KiB"));
}

TEST(FallbackRulesTest, SaysWhenARefusedChangeLooksDone) {
  EXPECT_TRUE(Said("match: {method: [GET, POST]}, fallback: {status: 200}")
                  .contains("a POST that was not done is answered with 200"));
  EXPECT_EQ(Said("match: {method: [POST]}, fallback: {status: 503}"), "");
}

}  // namespace
}  // namespace hale::host
