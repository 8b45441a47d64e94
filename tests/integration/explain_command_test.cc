#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "gateway_process.h"
#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

/// `hale explain` as a process of its own.
class ExplainCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    if (GatewayProcess::Binary().empty()) GTEST_SKIP() << "no gateway was built";
  }
  /// Its exit code; `said_` is what it printed.
  int Run(const net::Address& admin, const std::string& arguments) {
    const std::string command =
        GatewayProcess::Binary() + " explain --admin " + admin.Text() + " " + arguments + " 2>&1";
    std::FILE* const pipe = popen(command.c_str(), "r");
    std::array<char, 4096> piece;
    said_.clear();
    while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe)) {
      said_.append(piece.data(), got);
    }
    return WEXITSTATUS(pclose(pipe));
  }

  std::string said_;
};

TEST_F(ExplainCommandTest, SaysWhyARunningGatewayRefused) {
  const GatewayThread gateway(
      "services: {a: {instances: [\"127.0.0.1:1\"]}}\n"
      "routes: [{name: b, service: a, limit: [{rate: 9/s}, {rate: 1/h, by: "
      "\"header:x-user\"}]}]\n");
  Exchange(gateway.address(), "GET", "/one", "");
  Exchange(gateway.address(), "GET", "/two", "x-request-id: mine\r\n");
  EXPECT_EQ(Run(gateway.admin(), ""), 0);
  EXPECT_NE(said_.find("GET /two refused with 429 rate_limited"), std::string::npos) << said_;
  EXPECT_NE(said_.find("GET /one "), std::string::npos) << said_;
  EXPECT_NE(said_.find("second limit of the route (1/h by header:x-user)\n"), std::string::npos)
      << said_;
  const std::size_t id = said_.find("request ") + 8;
  EXPECT_EQ(Run(gateway.admin(), said_.substr(id, said_.find(',', id) - id)), 0);
  EXPECT_EQ(said_.find("GET /one "), std::string::npos) << said_;
}

TEST_F(ExplainCommandTest, SaysWhoseTurnWasWaitedFor) {
  const GatewayThread gateway(
      "services: {a: {instances: [\"127.0.0.1:1\"], retry: {mode: off}, limit: [{kind: pacing, "
      "rate: 2/s}]}}\n"
      "routes: [{name: b, service: a, limit: [{rate: 9/s}]}]\n");
  for (int i = 0; i < 2; ++i) Exchange(gateway.address(), "GET", "/", "");
  EXPECT_EQ(Run(gateway.admin(), ""), 0);
  EXPECT_NE(said_.find("delayed by rate_limiter of a: "), std::string::npos) << said_;
  EXPECT_NE(said_.find(", limit of the service (2/s by all)\n"), std::string::npos) << said_;
}

TEST_F(ExplainCommandTest, ARequestThatIsNotKeptIsSaidToBeNone) {
  const GatewayThread gateway("services: {}\n");
  EXPECT_EQ(Run(gateway.admin(), "unknown"), 1);
  EXPECT_NE(said_.find("only the last 256 of each"), std::string::npos) << said_;
}

TEST_F(ExplainCommandTest, AnotherServerThatAnswersIsNotTakenForAnAdminPort) {
  const RecordingOrigin other;
  EXPECT_EQ(Run(other.address(), "r-1"), 2);
  EXPECT_NE(said_.find("answers with status 200: it is no admin port of Hale"), std::string::npos)
      << said_;
}

TEST_F(ExplainCommandTest, AnAnswerThatIsTooLargeIsNotCutSilently) {
  RecordingOrigin other;
  const std::string body((std::size_t{64} << 20) + 1, 'x');
  other.Answer({"HTTP/1.1 200 OK\r\nhale-admin: 1\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body});
  EXPECT_EQ(Run(other.address(), "r-1"), 2);
  EXPECT_NE(said_.find("its answer is larger than 64 MiB"), std::string::npos) << said_;
}

TEST_F(ExplainCommandTest, WhereNobodyListensItSaysSo) {
  const net::Address nobody = Port().address();  // free a moment ago
  EXPECT_EQ(Run(nobody, "r-1"), 2);
  EXPECT_NE(said_.find("cannot ask 127.0.0.1:"), std::string::npos) << said_;
}

}  // namespace
}  // namespace hale::test
