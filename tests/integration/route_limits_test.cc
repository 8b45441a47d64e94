// Which limits are one through a whole gateway and its documents.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "gateway_thread.h"
#include "recording_origin.h"

namespace hale::test {
namespace {

class RouteLimitsOfGatewayTest : public testing::Test {
 protected:
  /// A route without a name for GET and one for POST, each with such a limit.
  std::string Document(const std::string& get, const std::string& post) const {
    return "services: {main: {instances: [\"" + origin_.address().Text() +
           "\"]}}\nroutes: [{match: {path: /, method: [GET]}, service: main, limit: [{" + get +
           "}]}, {match: {path: /, method: [POST]}, service: main, limit: [{" + post + "}]}]\n";
  }
  bool Passes(const std::string& method) const {
    return Exchange(gateway_->address(), method, "/").starts_with("HTTP/1.1 200");
  }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(RouteLimitsOfGatewayTest, RoutesOfOnePathHaveLimitsOfTheirOwn) {
  gateway_.emplace(Document("rate: 2/h, burst: 2", "rate: 1/h"));
  EXPECT_TRUE(Passes("POST"));
  EXPECT_FALSE(Passes("POST"));
  EXPECT_TRUE(Passes("GET"));
  EXPECT_TRUE(Passes("GET"));
  EXPECT_FALSE(Passes("GET"));
}

TEST_F(RouteLimitsOfGatewayTest, ANewRateForgivesNoRouteWhatItTook) {
  gateway_.emplace(Document("rate: 2/h, burst: 2", "rate: 1/h"));
  EXPECT_TRUE(Passes("GET"));
  gateway_->Apply(Document("rate: 3/h, burst: 2", "rate: 1/h"));
  EXPECT_TRUE(Passes("GET"));  // one of the two had been taken
  EXPECT_FALSE(Passes("GET"));
}

}  // namespace
}  // namespace hale::test
