#include "hale/mesh/forward.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class ForwardTest : public ::testing::Test {
 protected:
  Passport Stamp() {
    const auto passport = StampRequest(request_, rules_, random_);
    EXPECT_TRUE(passport);
    return passport.value_or(Passport());
  }
  void Brings(std::string_view name, std::string_view value) {
    request_.fields.Append(name, value);
  }
  std::string Sent(std::string_view name) const {
    return std::string(request_.fields.Find(name).value_or("-"));
  }

  SeededRandom random_{9};
  net::RequestHead request_;
  ForwardRules rules_{.trust = Trust::kEdge, .peer_ip = "192.0.2.7", .pseudonym = "hale-1"};
};

TEST_F(ForwardTest, AnEdgeStripsOurOwnFields) {
  Brings("hale-attempt", "3");
  Brings("Hale-Timeout-Ms", "5");
  const Passport passport = Stamp();
  EXPECT_EQ(Sent("hale-attempt"), "-");
  EXPECT_EQ(Sent("hale-timeout-ms"), "-");
  EXPECT_EQ(passport.attempt, 1U);
  EXPECT_EQ(passport.timeout, kForever);
}

TEST_F(ForwardTest, AMeshBelievesOurOwnFields) {
  rules_.trust = Trust::kMesh;
  Brings("hale-attempt", "3");
  Brings("hale-timeout-ms", "250");
  Brings("hale-priority", "sheddable_plus");
  const Passport passport = Stamp();
  EXPECT_EQ(passport.attempt, 3U);
  EXPECT_EQ(passport.timeout, 250ms);
  EXPECT_EQ(passport.priority, policy::Priority::kSheddablePlus);
  EXPECT_EQ(Sent("hale-priority"), "sheddable_plus");
}

TEST_F(ForwardTest, AnEdgeLetsNobodyChooseItsPriority) {
  Brings("hale-priority", "critical_plus");
  EXPECT_FALSE(Stamp().priority);
  EXPECT_EQ(Sent("hale-priority"), "-");
}

TEST_F(ForwardTest, AMeshTakesAPriorityThatItDoesNotKnowForTheLowest) {
  rules_.trust = Trust::kMesh;
  Brings("hale-priority", "urgent");
  EXPECT_EQ(Stamp().priority, policy::Priority::kSheddable);
}

TEST_F(ForwardTest, AMeshIgnoresWhatIsNoNumber) {
  rules_.trust = Trust::kMesh;
  Brings("hale-attempt", "0");
  Brings("hale-timeout-ms", "250ms");
  const Passport passport = Stamp();
  EXPECT_EQ(passport.attempt, 1U);
  EXPECT_EQ(passport.timeout, kForever);
}

TEST_F(ForwardTest, AnEdgeForgetsWhatAStrangerSaysOfItsOrigin) {
  Brings("X-Forwarded-For", "10.0.0.1");
  Brings("X-Forwarded-Proto", "https");
  Brings("X-Forwarded-Host", "admin");
  Brings("Forwarded", "for=10.0.0.1");
  Stamp();
  EXPECT_EQ(Sent("x-forwarded-for"), "192.0.2.7");
  EXPECT_EQ(Sent("x-forwarded-proto"), "http");
  EXPECT_EQ(Sent("x-forwarded-host"), "-");
  EXPECT_EQ(Sent("forwarded"), "-");
}

TEST_F(ForwardTest, KeepsWhatATrustedProxySaysAndAddsItsPeer) {
  rules_.peer_trusted = true;
  Brings("X-Forwarded-For", "203.0.113.9");
  Brings("X-Forwarded-Proto", "https");
  Stamp();
  EXPECT_EQ(Sent("x-forwarded-for"), "203.0.113.9, 192.0.2.7");
  EXPECT_EQ(Sent("x-forwarded-proto"), "https");
}

TEST_F(ForwardTest, LosesNoLineOfARepeatedForwardedFor) {
  rules_.trust = Trust::kMesh;
  Brings("X-Forwarded-For", "203.0.113.9");
  Brings("X-Forwarded-For", "10.0.0.1");
  Stamp();
  EXPECT_EQ(Sent("x-forwarded-for"), "203.0.113.9, 10.0.0.1, 192.0.2.7");
  EXPECT_EQ(request_.fields.Count("x-forwarded-for"), 1U);
}

TEST_F(ForwardTest, AnEdgeMakesANewRequestId) {
  Brings("x-request-id", "theirs");
  const Passport passport = Stamp();
  EXPECT_NE(Sent("x-request-id"), "theirs");
  EXPECT_EQ(Sent("x-request-id"), passport.request_id.view());
  EXPECT_EQ(request_.fields.Count("x-request-id"), 1U);
}

TEST_F(ForwardTest, AMeshKeepsTheRequestId) {
  rules_.trust = Trust::kMesh;
  Brings("x-request-id", "theirs-1");
  EXPECT_EQ(Stamp().request_id.view(), "theirs-1");
  EXPECT_EQ(Sent("x-request-id"), "theirs-1");
}

TEST_F(ForwardTest, AMeshReplacesARequestIdThatCouldSplitALog) {
  rules_.trust = Trust::kMesh;
  Brings("x-request-id", "a \"b\"");
  Stamp();
  EXPECT_NE(Sent("x-request-id"), "a \"b\"");
}

TEST_F(ForwardTest, PassesTheTraceOnUnderASpanOfItsOwn) {
  Brings("traceparent", kParent);
  Stamp();
  const std::string sent = Sent("traceparent");
  EXPECT_EQ(sent.substr(0, 35), kParent.substr(0, 35));
  EXPECT_NE(sent.substr(36, 16), kParent.substr(36, 16));
  EXPECT_EQ(sent.substr(52), "-01");
}

TEST_F(ForwardTest, BeginsATraceWhenThereIsNone) {
  const Passport passport = Stamp();
  EXPECT_TRUE(passport.trace.valid());
  EXPECT_TRUE(telemetry::ParseTraceparent(Sent("traceparent")));
}

TEST_F(ForwardTest, PassesTheStateOfATraceOnAsOneLine) {
  Brings("traceparent", kParent);
  Brings("tracestate", "a=1");
  Brings("tracestate", "b=2");
  Stamp();
  EXPECT_EQ(Sent("tracestate"), "a=1,b=2");
  EXPECT_EQ(request_.fields.Count("tracestate"), 1U);
}

TEST_F(ForwardTest, DropsTheStateOfATraceThatIsBroken) {
  Brings("traceparent", "00-broken");
  Brings("tracestate", "a=1");
  Stamp();
  EXPECT_EQ(Sent("tracestate"), "-");
}

TEST_F(ForwardTest, SignsInVia) {
  Brings("Via", "1.1 other");
  Stamp();
  EXPECT_EQ(request_.fields.Count("via"), 2U);
}

TEST_F(ForwardTest, RefusesARequestThatHasPassedHere) {
  for (const char* via :
       {"1.1 hale-1", "1.0 a, 1.1 hale-1", "1.1 hale-1, 1.1 b", "1.1 hale-12, 1.1 hale-1 (x)"}) {
    net::RequestHead request;
    request.fields.Append("Via", via);
    const auto passport = StampRequest(request, rules_, random_);
    ASSERT_FALSE(passport) << via;
    EXPECT_EQ(passport.error().reason, Reason::kLoop);
  }
}

TEST_F(ForwardTest, LetsPassWhoIsOnlyNamedAlike) {
  for (const char* via : {"1.1 hale-12", "1.1 other-hale-1", "1.1 x"}) {
    net::RequestHead request;
    request.fields.Append("Via", via);
    EXPECT_TRUE(StampRequest(request, rules_, random_)) << via;
  }
}

TEST_F(ForwardTest, RemovesWhatIsForThisHopOnly) {
  Brings("Connection", "close, X-Secret");
  Brings("X-Secret", "1");
  Brings("Keep-Alive", "timeout=5");
  Brings("X-Kept", "1");
  Stamp();
  EXPECT_EQ(Sent("connection"), "-");
  EXPECT_EQ(Sent("x-secret"), "-");
  EXPECT_EQ(Sent("keep-alive"), "-");
  EXPECT_EQ(Sent("x-kept"), "1");
}

TEST_F(ForwardTest, AClientCannotHaveOurFieldsRemovedAsItsOwn) {
  Brings("Connection", "x-request-id, traceparent, via, x-forwarded-for");
  Stamp();
  for (const char* name : {"x-request-id", "traceparent", "via", "x-forwarded-for"}) {
    EXPECT_NE(Sent(name), "-") << name;
  }
}

TEST_F(ForwardTest, StampsTheResponseWithTheRequestId) {
  net::ResponseHead response;
  response.fields.Append("Connection", "close");
  response.fields.Append("x-request-id", "the upstream's");
  Passport passport;
  passport.request_id = "ours";
  StampResponse(response, passport);
  EXPECT_EQ(response.fields.Find("x-request-id"), "ours");
  EXPECT_FALSE(response.fields.Has("connection"));
}

}  // namespace
}  // namespace hale::mesh
