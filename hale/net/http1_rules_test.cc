#include "hale/net/http1_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hale::net {
namespace {

// The rules by themselves: what the parser would refuse as well must not depend on it.
int StatusOf(const std::vector<Fields::Line>& lines, Version version = Version::kHttp11) {
  RequestHead head;
  head.version = version;
  head.fields.Append("Host", "a");
  for (const auto& line : lines) head.fields.Append(line.name, line.value);
  const Judged judged = JudgeRequest(head);
  return judged ? 0 : judged.error().status;
}

TEST(Http1RulesTest, OneContentLengthThatIsDigits) {
  for (const char* value : {"-1", "+1", "0x1", "1_0", "", "1, 1", "9223372036854775808", " 1"}) {
    EXPECT_EQ(StatusOf({{"Content-Length", value}}), 400) << value;
  }
  EXPECT_EQ(StatusOf({{"Content-Length", "1"}, {"content-length", "1"}}), 400);
  EXPECT_EQ(StatusOf({{"Content-Length", "007"}}), 0);
}

TEST(Http1RulesTest, OneTransferEncodingThatIsChunked) {
  for (const char* value : {"gzip", "chunked, chunked", "chunked, gzip", "", "chunked;x"}) {
    EXPECT_EQ(StatusOf({{"Transfer-Encoding", value}}), 400) << value;
  }
  EXPECT_EQ(StatusOf({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}), 400);
  EXPECT_EQ(StatusOf({{"Transfer-Encoding", "CHUNKED"}}), 0);
}

TEST(Http1RulesTest, NeverBothAndNeverInHttp10) {
  EXPECT_EQ(StatusOf({{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}), 400);
  EXPECT_EQ(StatusOf({{"Transfer-Encoding", "chunked"}}, Version::kHttp10), 400);
}

TEST(Http1RulesTest, AResponseThatBreaksThemIsTheUpstreamsFault) {
  ResponseHead head;
  head.fields.Append("Content-Length", "1");
  head.fields.Append("Content-Length", "2");
  const Judged judged = JudgeResponse(head, "GET");
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().status, 502);
  EXPECT_EQ(judged.error().reason, Reason::kUpstreamProtocol);
}

TEST(Http1RulesTest, ARefusalSaysWhy) {
  const Judged judged = JudgeRequestLine("GET /a#b HTTP/1.1", {});
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().reason, Reason::kProtocol);
  EXPECT_EQ(judged.error().sentence, "the target holds what it must not");
}

}  // namespace
}  // namespace hale::net
