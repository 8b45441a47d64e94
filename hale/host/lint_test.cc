#include "hale/host/lint.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/host/said.h"

namespace hale::host {
namespace {

/// One service with two instances and one route to it; each with what a test adds.
std::string With(const std::string& service, const std::string& route = "match: /",
                 const std::string& rest = "log: info") {
  return SaidOf("services: {a: {instances: [\"h:1\", \"h:2\"], " + service + "}}\n" +
                "routes: [{service: a, " + route + "}]\n" + rest + "\n");
}

TEST(LintTest, TheDefaultsAreWise) {
  EXPECT_EQ(With("connections: 256"), "");
  EXPECT_EQ(SaidOf("listen: [\"0.0.0.0:80\"]"), "");
}

TEST(LintTest, NoServiceIsProbablyAMistake) {
  EXPECT_EQ(SaidOf("services: {}"),
            "services: warning: holds no service; leave the key out if none is called\n");
}

TEST(LintTest, AttemptsFitIntoTheDeadline) {
  EXPECT_EQ(With("timeout: {per_try: 600ms}, retry: {attempts: 3}", "deadline: 1s"),
            "routes[0].deadline: warning: 600ms of services.a.timeout.per_try × 3 attempts and "
            "up to 75ms of waits = 1875ms is above the deadline 1s: attempt 2 cannot run in "
            "full\n");
  EXPECT_EQ(With("timeout: {per_try: 600ms}, retry: {attempts: 3}", "deadline: 1875ms"), "");
}

TEST(LintTest, CountsTheAttemptsThatAreMade) {
  const std::string service = "timeout: {per_try: 6s}";
  EXPECT_NE(With(service), "");                                  // 3 × 6 s > 15 s
  EXPECT_EQ(With(service, "match: {method: POST}"), "");         // 2 × 6 s
  EXPECT_EQ(With(service, "idempotent: no"), "");                // 2 × 6 s
  EXPECT_EQ(With(service + ", retry: {mode: \"off\"}"), "");     // 1 × 6 s
  EXPECT_NE(With(service, "match: {method: [POST, GET]}"), "");  // 3 for a GET
}

TEST(LintTest, ConnectingFitsIntoTheDeadline) {
  EXPECT_EQ(With("timeout: {connect: 3s}", "deadline: 2s"),
            "services.a.timeout.connect: warning: 3s is above the whole deadline 2s of "
            "routes[0]\n");
  EXPECT_EQ(With("timeout: {connect: 2s}", "deadline: 2s"), "");
  EXPECT_EQ(With("connections: 1", "deadline: 500ms"), "");  // the default is no mistake
}

TEST(LintTest, ASlowCallCanBeSeen) {
  EXPECT_EQ(With("breaker: {slow_call: 2s}, timeout: {per_try: 2s}"),
            "services.a.breaker.slow_call: warning: no call is ever seen to take 2s: an "
            "attempt of routes[0] ends after 2s\n");
  EXPECT_EQ(With("breaker: {slow_call: 1999ms}, timeout: {per_try: 2s}"), "");
}

TEST(LintTest, ASlowCallMayTakeUpToTheDeadlineOfTheLastAttempt) {
  EXPECT_EQ(With("breaker: {slow_call: 5s}"), "");
  EXPECT_EQ(With("breaker: {slow_call: 15s}"),
            "services.a.breaker.slow_call: warning: no call is ever seen to take 15s: an "
            "attempt of routes[0] ends after 15s\n");
}

TEST(LintTest, AQueueWaitsForNoMoreThanHalfTheDeadline) {
  EXPECT_EQ(With("bulkhead: {max_wait: 501ms}", "deadline: 1s"),
            "services.a.bulkhead.max_wait: warning: 501ms is above half of the deadline 1s "
            "of routes[0]; it never waits longer than 500ms\n");
  EXPECT_EQ(With("bulkhead: {max_wait: 500ms}", "deadline: 1s"), "");
}

TEST(LintTest, ANonIdempotentMethodIsNotSentTwice) {
  EXPECT_EQ(With("connections: 1", "match: {method: [PUT, PATCH]}, idempotent: yes"),
            "routes[0].idempotent: warning: a PATCH may be executed up to 3 times: it is "
            "sent again after it may have been executed\n");
  EXPECT_NE(With("connections: 1", "idempotent: yes"), "");  // all methods: POST too
  EXPECT_EQ(With("connections: 1", "match: {method: [PUT, DELETE]}, idempotent: yes"), "");
  EXPECT_EQ(With("retry: {attempts: 1}", "match: {method: POST}, idempotent: yes"), "");
}

TEST(LintTest, AClientCannotEvadeALimit) {
  const std::string edge = "listen: [\"0.0.0.0:80\"]";
  EXPECT_EQ(With("connections: 1", "limit: [{rate: 10/s, by: \"header:x-user\"}]", edge),
            "routes[0].limit[0].by: warning: a client of an edge listener chooses x-user "
            "itself, so it gets 10/s as often as it invents a value; add a limit by client_ip\n");
}

TEST(LintTest, ALimitByHeaderIsFineBesideOneThatCannotBeEvaded) {
  const std::string edge = "listen: [\"0.0.0.0:80\"]";
  const std::string header = "{rate: 10/s, by: \"header:x-user\"}";
  EXPECT_EQ(With("connections: 1", "limit: [{by: client_ip}, " + header + "]", edge), "");
  EXPECT_NE(With("connections: 1", "limit: [{by: client_ip, mode: shadow}, " + header + "]", edge),
            "");
  const std::string mesh = "listen: [{address: \"0.0.0.0:80\", trust: mesh}]";
  EXPECT_EQ(With("connections: 1", "limit: [" + header + "]", mesh), "");
}

TEST(LintTest, NotEverybodyIsAProxy) {
  EXPECT_EQ(SaidOf("listen: [{address: \"0.0.0.0:80\", trusted_proxies: [0.0.0.0/0]}]"),
            "listen[0].trusted_proxies[0]: warning: 0.0.0.0/0 believes X-Forwarded-For of "
            "everybody: a client chooses its own client_ip\n");
  EXPECT_NE(SaidOf("listen: [{address: \"0.0.0.0:80\", trusted_proxies: [\"::/0\"]}]"), "");
  EXPECT_EQ(SaidOf("listen: [{address: \"0.0.0.0:80\", trusted_proxies: [10.0.0.0/8]}]"), "");
}

TEST(LintTest, ABreakerSeesEnoughCalls) {
  // 2/s × 10 s + 10 at once = 30 calls, 15 for each of two instances.
  EXPECT_EQ(With("breaker: {minimum_calls: 20}", "limit: [{rate: 2/s, burst: 10}]"),
            "services.a.breaker.minimum_calls: warning: the routes' limits let at most 15 "
            "calls in 10s reach each of 2 instances, so 20 are never seen and no share is "
            "judged\n");
  EXPECT_EQ(With("breaker: {minimum_calls: 15}", "limit: [{rate: 2/s, burst: 10}]"), "");
}

TEST(LintTest, ARouteWithoutALimitBringsEnoughCalls) {
  EXPECT_EQ(SaidOf("services: {a: {instances: [\"h:1\"]}}\n"
                   "routes: [{service: a, match: /x, limit: [{rate: 1/min}]}, {service: a}]"),
            "");
  // By client, the number of clients is not known.
  EXPECT_EQ(With("connections: 1", "limit: [{rate: 1/min, by: client_ip}]"), "");
}

TEST(LintTest, RestsAndBackoffsAreInOrder) {
  EXPECT_EQ(With("breaker: {open_for: 10min}"),
            "services.a.breaker.open_for: warning: 10min is above open_max 5min\n");
  EXPECT_EQ(With("outlier: {rest: 1min}"),
            "services.a.outlier.rest: warning: 1min is above max_rest 30s\n");
  EXPECT_EQ(With("retry: {backoff_base: 1s}"),
            "services.a.retry.backoff_base: warning: 1s is above backoff_max 250ms, which "
            "caps it\n");
}

TEST(LintTest, RetriesHaveABudget) {
  // Law 1: with A attempts, recovery is certain only below 1/A of capacity.
  EXPECT_EQ(With("retry: {attempts: 4, budget: {mode: shadow}}"),
            "services.a.retry.budget.mode: warning: without a budget each request may be "
            "sent 4 times: after a failure recovery is certain only below 25% of capacity\n");
  EXPECT_EQ(With("retry: {attempts: 1, budget: {mode: \"off\"}}"), "");
}

TEST(LintTest, ABudgetIsSmall) {
  EXPECT_EQ(With("retry: {budget: 60%}"),
            "services.a.retry.budget.ratio: warning: 60% more calls: after a failure "
            "recovery is certain only below 62.5% of capacity; 10% keeps it to 91%\n");
  EXPECT_EQ(With("retry: {budget: 50%}"), "");
}

TEST(LintTest, ChecksDoNotOverlap) {
  EXPECT_EQ(With("health: {path: /, interval: 1s, timeout: 2s}"),
            "services.a.health.timeout: warning: 2s is above the interval 1s: a check would "
            "still be out when the next is due\n");
  EXPECT_EQ(With("health: {path: /, interval: 1s, timeout: 1s}"), "");
  EXPECT_EQ(With("health: {interval: 500ms}"), "");  // without a path there are none
}

TEST(LintTest, ChecksNoticeInTime) {
  EXPECT_EQ(With("health: {path: /, interval: 30s}"),
            "services.a.health.interval: warning: 30s × fall 3 = 90s until a dead instance "
            "is noticed by its checks\n");
  EXPECT_EQ(With("health: {path: /, interval: 20s}"), "");
}

TEST(LintTest, OneLostCheckIsNoOutage) {
  EXPECT_EQ(With("health: {kind: tcp, fall: 1}"),
            "services.a.health.fall: warning: 1: one lost check leaves out an instance, 50% "
            "of the capacity\n");
}

TEST(LintTest, APathIsForHttp) {
  EXPECT_EQ(With("health: {kind: tcp, path: /ready}"),
            "services.a.health.path: warning: is not used: only kind http asks for a "
            "path\n");
}

TEST(LintTest, LeavesOutNoMoreThanTheRestCanCarry) {
  // Law 6: 2 of 4 left out is safe below 0.95 × (1 − 0.5) of capacity.
  EXPECT_EQ(SaidOf("services: {a: {instances: [\"h:1\", \"h:2\", \"h:3\", \"h:4\"], "
                   "outlier: {max_sick: 60%}}}"),
            "services.a.outlier.max_sick: warning: 2 of 4 instances may be left out while "
            "they carry load: safe only below 47.5% of capacity\n");
  EXPECT_EQ(SaidOf("services: {a: {instances: {file: x}, outlier: {max_sick: 30%}}}"),
            "services.a.outlier.max_sick: warning: 30% of the instances may be left out "
            "while they carry load: safe only below 66.5% of capacity\n");
}

TEST(LintTest, OneOfFewMayAlwaysBeLeftOut) {
  EXPECT_EQ(With("outlier: {max_sick: 90%}"), "");  // one of two
  EXPECT_EQ(With("outlier: {max_sick: 100%, mode: \"off\"}"), "");
  EXPECT_NE(With("outlier: {max_sick: 100%}"), "");
}

TEST(LintTest, NobodyIsLeftOutToBeUsedAgainByPanic) {
  EXPECT_EQ(With("outlier: {panic: 60%}"),
            "services.a.outlier.panic: warning: with 1 of 2 instances left out as sick fewer than "
            "60% are left, and all of them are used again\n");
  EXPECT_EQ(SaidOf("services: {a: {instances: {file: x}, outlier: {max_sick: 60%}}}"),
            "services.a.outlier.max_sick: warning: with 60% of the instances left out as sick "
            "fewer than 50% are left, and all of them are used again\n");
  EXPECT_EQ(
      SaidOf("services: {a: {instances: {static: [\"a:1\", \"a:2\", \"a:3\", \"a:4\", "
             "\"a:5\"]}, outlier: {max_sick: 80%, panic: 20%}}}"),
      "services.a.outlier.max_sick: warning: 4 of 5 instances may be left out while they carry "
      "load: safe only below 19% of capacity\n");
  EXPECT_EQ(With("outlier: {max_sick: 30%}"), "");  // the half that is left is enough
  EXPECT_EQ(SaidOf("services: {a: {instances: [\"h:1\"], outlier: {panic: 60%}}}"), "");
}

TEST(LintTest, ALimitOfCallsCanBeReached) {
  EXPECT_EQ(With("bulkhead: {limit: 600}"),
            "services.a.bulkhead.limit: warning: 600 calls can never be in flight: 2 "
            "instances × 256 connections = 512\n");
  EXPECT_EQ(With("bulkhead: {limit: 512}"), "");
}

TEST(LintTest, BodiesHaveALimit) {
  EXPECT_EQ(SaidOf("listen: [{address: \"0.0.0.0:80\", limits: {body: 0B}}]"),
            "listen[0].limits.body: warning: 0: one request may bring a body without "
            "end\n");
}

TEST(LintTest, AnOpenAdminPortHasAToken) {
  EXPECT_EQ(SaidOf("admin: {address: \"0.0.0.0:9901\"}"),
            "admin.address: warning: 0.0.0.0:9901 is reached from other machines, and there "
            "is no token: nobody may write\n");
  EXPECT_EQ(SaidOf("admin: {address: \"[::1]:9901\"}"), "");
  EXPECT_EQ(SaidOf("admin: {address: \"\"}"), "");
}

TEST(LintTest, DrainingWaitsForTheLongestRequest) {
  EXPECT_EQ(With("connections: 1", "deadline: 31s"),
            "drain.timeout: warning: 30s is below the deadline 31s of routes[0]: its "
            "requests may be broken off\n");
  EXPECT_EQ(With("connections: 1", "deadline: 31s", "drain: {timeout: 31s}"), "");
}

}  // namespace
}  // namespace hale::host
