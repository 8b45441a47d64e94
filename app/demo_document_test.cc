#include "app/demo_document.h"

#include <gmock/gmock.h>

#include "hale/host/document.h"

namespace hale::app {
namespace {

DemoPlaces Places(bool policies) {
  return {.port = 8080,
          .admin = 9901,
          .backends = {9001, 9002, 9003},
          .access_log = "/tmp/access.log",
          .policies = policies};
}

host::Document Read(const std::string& text) {
  const auto parsed = host::ParseDocument(text, "hale.yaml");
  EXPECT_EQ(config::Print(parsed.problems), "");
  return parsed.value;
}

Rate LimitIn(const host::Document& document) { return document.routes.at(0).limit.at(0).rate; }

TEST(DemoDocumentTest, IsOneThatTheCheckHasNothingToSayAboutEitherWay) {
  for (const bool policies : {true, false}) {
    const host::Document document = Read(DemoDocument(Places(policies)));
    EXPECT_EQ(document.services.size(), 1);
    EXPECT_EQ(document.routes.size(), 1);
  }
}

TEST(DemoDocumentTest, SaysTheLimitThatItsCallersKeep) {
  EXPECT_EQ(LimitIn(Read(DemoDocument(Places(true)))), Rate{.permits = kDemoLimit});
}

TEST(DemoDocumentTest, HasEveryPolicyOffWhenItOnlyForwards) {
  const host::Document document = Read(DemoDocument(Places(false)));
  const mesh::ServiceOptions& shop = document.services.at("shop");
  EXPECT_EQ(shop.breaker.mode, policy::Mode::kOff);
  EXPECT_EQ(shop.retry.mode, policy::Mode::kOff);
  EXPECT_EQ(shop.retry.attempts, 1);
  EXPECT_EQ(shop.bulkhead.mode, policy::Mode::kOff);
  EXPECT_EQ(shop.outlier.mode, policy::Mode::kOff);
  EXPECT_EQ(shop.stall.mode, policy::Mode::kOff);
  EXPECT_TRUE(document.routes.at(0).limit.empty());
}

TEST(DemoDocumentTest, IsRefusedWithTheTypoWhichIsNamed) {
  const auto parsed = host::ParseDocument(WithTypo(DemoDocument(Places(true))), "hale.yaml");
  ASSERT_EQ(parsed.problems.size(), 1);
  EXPECT_EQ(parsed.problems[0].severity, config::Severity::kError);
  EXPECT_THAT(parsed.problems[0].path, testing::HasSubstr("deadlime"));
}

TEST(DemoDocumentTest, ChangesItsLimitAlone) {
  const std::string before = DemoDocument(Places(true));
  std::string after = WithTwiceTheLimit(before);
  EXPECT_EQ(LimitIn(Read(after)), Rate{.permits = 2 * kDemoLimit});
  after.replace(after.find("500/s"), 5, "250/s");
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace hale::app
