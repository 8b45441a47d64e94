// The rows of doc/conformance/net.md that are one exchange of raw bytes: each is sent through a
// proxy to an origin that records what reaches it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "framing_rows.h"
#include "gateway_process.h"
#include "hale/net/http1_body.h"
#include "hale/net/http1_parser.h"
#include "recording_origin.h"
#include "relay.h"
#include "wire.h"

namespace hale::test {

std::ostream& operator<<(std::ostream& out, const RequestRow& row) { return out << row.name; }
std::ostream& operator<<(std::ostream& out, const AnswerRow& row) { return out << row.name; }

namespace {

struct Answer {
  int status = 0;
  std::string body;
  bool complete = false;
};

// The answers in what a client has received, as a strict client understands them.
std::vector<Answer> Understand(std::string_view bytes, const std::string& method) {
  std::vector<Answer> answers;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n\r\n");
    net::ResponseHead head;
    if (end == std::string_view::npos ||
        !net::ParseResponseHead(bytes.substr(0, end + 4), method, head)) {
      answers.push_back({.status = -1, .body = std::string(bytes), .complete = false});
      return answers;
    }
    bytes.remove_prefix(end + 4);
    if (head.status < 200) continue;
    Answer answer;
    answer.status = head.status;
    net::BodyReader body;
    body.Begin(net::HasBody(method, head.status) ? head.framing : net::Framing());
    while (!body.complete() && !bytes.empty()) {
      const auto piece = body.Take(bytes);
      if (!piece) return answers;
      answer.body += piece->data;
      bytes.remove_prefix(piece->consumed);
    }
    answer.complete = body.complete() || body.OnStreamEnd();
    answers.push_back(answer);
  }
  return answers;
}

std::string TestName(const std::string& name) {
  std::string text;
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return text.substr(0, 60);
}

template <class Row>
std::string NumberedName(const testing::TestParamInfo<Row>& info) {
  return "Row" + TestName(info.param.name) + "_" + std::to_string(info.index);
}

void CheckRequest(const RequestRow& row, const net::Address& proxy, RecordingOrigin& origin) {
  Wire client = Wire::To(proxy);
  client.Send(row.sent);
  const std::string reply = client.ReadAll();
  EXPECT_EQ(client.ended(), Ended::kClosed) << "neither left open nor reset";
  std::vector<int> statuses;
  for (const Answer& answer : Understand(reply, "GET")) statuses.push_back(answer.status);
  EXPECT_EQ(statuses, row.statuses) << reply;
  std::size_t whole = 0;
  for (const auto& request : origin.requests()) whole += request.whole ? 1 : 0;
  EXPECT_EQ(whole, row.forwarded);
  EXPECT_NE(origin.received().find(row.origin_has), std::string::npos) << origin.received();
  if (row.origin_lacks.empty()) return;
  EXPECT_EQ(origin.received().find(row.origin_lacks), std::string::npos) << origin.received();
}

std::string OneRequest(const std::string& method) {
  return method + " /r HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
}

void CheckAnswer(const AnswerRow& row, const net::Address& proxy, RecordingOrigin& origin) {
  origin.Answer(row.answer);
  Wire client = Wire::To(proxy);
  client.Send(OneRequest(row.method));
  const std::string reply = client.ReadAll();
  const auto answers = Understand(reply, row.method);
  ASSERT_EQ(answers.size(), 1U) << reply;
  EXPECT_EQ(answers[0].status, row.status) << reply;
  EXPECT_EQ(answers[0].complete && client.ended() == Ended::kClosed, row.complete) << reply;
  if (row.complete && row.body != "*") {
    EXPECT_EQ(answers[0].body, row.body) << reply;
  }
  EXPECT_NE(reply.find(row.reply_has), std::string::npos) << reply;
  if (row.reply_lacks.empty()) return;
  EXPECT_EQ(reply.find(row.reply_lacks, reply.find("\r\n")), std::string::npos) << reply;
}

void CheckReuse(const AnswerRow& row, const net::Address& proxy, RecordingOrigin& origin) {
  origin.Answer(row.answer);
  Wire client = Wire::To(proxy);
  client.Send(OneRequest(row.method));
  client.ReadAll();
  if (!row.answer.later.empty()) {
    origin.Release();
    ASSERT_TRUE(origin.WaitForAnswers(1));
  }
  origin.Answer({});
  const int before = origin.connections();
  Wire next = Wire::To(proxy);
  next.Send(OneRequest("GET"));
  const auto answers = Understand(next.ReadAll(), "GET");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_EQ(answers[0].body, "ok");
  EXPECT_EQ(origin.connections() == before, row.reused);
}

constexpr Duration kAnswerWithin = 300ms;

class RequestFramingTest : public testing::TestWithParam<RequestRow> {
 protected:
  RecordingOrigin origin_;
};

TEST_P(RequestFramingTest, IsAnsweredAndForwardedAsTheRowSays) {
  const Relay relay(origin_.address());
  CheckRequest(GetParam(), relay.address(), origin_);
}

TEST_P(RequestFramingTest, IsAnsweredAndForwardedByTheGatewayAsTheRowSays) {
  if (GatewayProcess::Binary().empty()) GTEST_SKIP() << "no gateway was built";
  const GatewayProcess gateway(origin_.address());
  CheckRequest(GetParam(), gateway.address(), origin_);
}

INSTANTIATE_TEST_SUITE_P(Rows, RequestFramingTest, testing::ValuesIn(RequestRows()),
                         NumberedName<RequestRow>);

class AnswerFramingTest : public testing::TestWithParam<AnswerRow> {
 protected:
  RecordingOrigin origin_;
  RelayOptions options_ = [] {
    RelayOptions options;
    options.response_timeout = kAnswerWithin;
    return options;
  }();
};

TEST_P(AnswerFramingTest, IsPassedOnOrRefusedAsTheRowSays) {
  const Relay relay(origin_.address(), options_);
  CheckAnswer(GetParam(), relay.address(), origin_);
}

TEST_P(AnswerFramingTest, LeavesAConnectionThatIsReusedOnlyWhenItIsClean) {
  const Relay relay(origin_.address(), options_);
  CheckReuse(GetParam(), relay.address(), origin_);
}

TEST_P(AnswerFramingTest, IsPassedOnOrRefusedByTheGatewayAsTheRowSays) {
  if (GatewayProcess::Binary().empty()) GTEST_SKIP() << "no gateway was built";
  const GatewayProcess gateway(origin_.address(), kAnswerWithin);
  CheckAnswer(GetParam(), gateway.address(), origin_);
}

INSTANTIATE_TEST_SUITE_P(Rows, AnswerFramingTest, testing::ValuesIn(AnswerRows()),
                         NumberedName<AnswerRow>);

}  // namespace
}  // namespace hale::test
