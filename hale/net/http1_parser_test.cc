#include "hale/net/http1_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::net {
namespace {

std::string Message(std::string_view start, std::string_view fields) {
  return std::string(start) + "\r\n" + std::string(fields) + "\r\n";
}

// 0 when it is accepted.
int StatusOf(std::string_view start, std::string_view fields = "Host: a\r\n") {
  RequestHead head;
  const auto judged = ParseRequestHead(Message(start, fields), {}, head);
  return judged ? 0 : judged.error().status;
}

int StatusWith(std::string_view fields) {
  return StatusOf("POST / HTTP/1.1", "Host: a\r\n" + std::string(fields));
}

RequestHead Parsed(std::string_view start, std::string_view fields = "Host: a\r\n") {
  RequestHead head;
  const auto judged = ParseRequestHead(Message(start, fields), {}, head);
  EXPECT_TRUE(judged) << start << fields << (judged ? "" : judged.error().sentence);
  return head;
}

TEST(RequestParserTest, SplitsAHead) {
  const RequestHead head = Parsed("GET /a?b HTTP/1.1", "Host: a\r\nX:  y z \t\r\nEmpty:\r\n");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.version, Version::kHttp11);
  EXPECT_EQ(head.fields.size(), 3U);
  EXPECT_EQ(head.fields.Find("x"), "y z");
  EXPECT_EQ(head.fields.Find("empty"), "");
}

TEST(RequestParserTest, ForgetsTheHeadBefore) {
  RequestHead head;
  ASSERT_TRUE(ParseRequestHead(
      Message("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"), {},
      head));
  ASSERT_TRUE(ParseRequestHead(Message("GET /b HTTP/1.0", ""), {}, head));
  EXPECT_EQ(head.framing, Framing());
  EXPECT_FALSE(head.expects_continue);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.fields.empty());
}

TEST(RequestParserTest, TakesContentLengthAsFramingOnly) {
  const RequestHead head = Parsed("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n");
  EXPECT_EQ(head.framing, Framing::Length(5));
  EXPECT_FALSE(head.fields.Has("content-length"));
}

TEST(RequestParserTest, TakesChunkedAsFramingOnly) {
  const RequestHead head = Parsed("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: Chunked\r\n");
  EXPECT_EQ(head.framing, Framing::Chunked());
  EXPECT_FALSE(head.fields.Has("transfer-encoding"));
}

TEST(RequestParserTest, RefusesAContentLengthThatIsNotOneNumber) {
  for (const char* value : {"+5", "-1", "0x5", "5_0", "", "5, 5", "5 5", "9223372036854775808",
                            "99999999999999999999", "1e3", "5\t6"}) {
    EXPECT_EQ(StatusWith("Content-Length: " + std::string(value) + "\r\n"), 400) << value;
  }
  EXPECT_EQ(StatusWith("Content-Length: 9223372036854775807\r\n"), 0);
  EXPECT_EQ(StatusWith("Content-Length: 5\r\nContent-Length: 6\r\n"), 400);
  EXPECT_EQ(StatusWith("Content-Length: 5\r\ncontent-length: 5\r\n"), 400);
}

TEST(RequestParserTest, RefusesTransferEncodingWithContentLength) {
  EXPECT_EQ(StatusWith("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(StatusWith("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(StatusWith("Content-Length: 5\r\nTransfer-Encoding: x\r\n"), 400);
}

TEST(RequestParserTest, RefusesATransferEncodingThatIsNotExactlyChunked) {
  for (const char* value :
       {"gzip", "chunked, gzip", "gzip, chunked", "chunked, chunked", ",chunked", "chunked,",
        "identity", "", "chunked;q=1", "\"chunked\"", "chun ked"}) {
    EXPECT_EQ(StatusWith("Transfer-Encoding: " + std::string(value) + "\r\n"), 400) << value;
  }
  EXPECT_EQ(StatusWith("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
}

TEST(RequestParserTest, DoesNotImplementACodingThatNobodyKnows) {
  EXPECT_EQ(StatusWith("Transfer-Encoding: xchunked\r\n"), 501);
  EXPECT_EQ(StatusWith("Transfer-Encoding: chunkedchunked\r\n"), 501);
}

TEST(RequestParserTest, RefusesTransferEncodingInHttp10) {
  EXPECT_EQ(StatusOf("POST / HTTP/1.0", "Host: a\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(StatusOf("POST / HTTP/1.0", "Host: a\r\nTransfer-Encoding: xchunked\r\n"), 400);
}

TEST(RequestParserTest, WantsOneValidHost) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1", ""), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.0", ""), 0);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"), 400);
  for (const char* bad : {"", "a b", "a/b", "user@a", "a:b", "a:80:80", "a:70000", "[::1", "[]",
                          "[abc]", "[::1]x", "a,b/c", "http://a", "a\\b", "a?b", "\xc3\xa9"}) {
    EXPECT_EQ(StatusOf("GET / HTTP/1.1", "Host: " + std::string(bad) + "\r\n"), 400) << bad;
  }
  for (const char* good :
       {"a", "a:80", "a:", "127.0.0.1:8080", "[::1]", "[2001:db8::1]:443", "a_b.example", "%41"}) {
    EXPECT_EQ(StatusOf("GET / HTTP/1.1", "Host: " + std::string(good) + "\r\n"), 0) << good;
  }
}

TEST(RequestParserTest, TheAuthorityOfAnAbsoluteTargetReplacesHost) {
  const RequestHead head = Parsed("GET http://b:81/x?y HTTP/1.1", "Host: a\r\n");
  EXPECT_EQ(head.host(), "b:81");
  EXPECT_EQ(head.target, "/x?y");
  EXPECT_EQ(Parsed("GET http://b HTTP/1.1").target, "/");
  EXPECT_EQ(Parsed("GET http://b?q HTTP/1.1").target, "/?q");
  EXPECT_EQ(Parsed("OPTIONS http://b HTTP/1.1").target, "*");
}

TEST(RequestParserTest, RefusesTargetsOfNoAllowedForm) {
  for (const char* target : {"a", "b:80", "ftp://a/", "http://", "http:///x", "http://u@a/", "*",
                             "/a#b", "/\x80", "//a b", "http://a b/"}) {
    EXPECT_EQ(StatusOf("GET " + std::string(target) + " HTTP/1.1"), 400) << target;
  }
  EXPECT_EQ(StatusOf("OPTIONS * HTTP/1.1"), 0);
  EXPECT_EQ(StatusOf("GET /{}|^`\"<> HTTP/1.1"), 0);
}

TEST(RequestParserTest, RefusesLinesThatAreNotThreeWords) {
  for (const char* line :
       {"GET", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET /a b HTTP/1.1", "G@T / HTTP/1.1",
        "GET\t/\tHTTP/1.1", "(GET / HTTP/1.1"}) {
    EXPECT_EQ(StatusOf(line), 400) << line;
  }
}

TEST(RequestParserTest, AnswersAMethodThatItDoesNotKnowWith501) {
  EXPECT_EQ(StatusOf("BREW / HTTP/1.1"), 501);
  EXPECT_EQ(StatusOf("get / HTTP/1.1"), 501);
  EXPECT_EQ(StatusOf(std::string(100, 'A') + " / HTTP/1.1"), 501);
  EXPECT_EQ(StatusOf("CONNECT a:80 HTTP/1.1"), 501);
  EXPECT_EQ(StatusOf("PATCH / HTTP/1.1"), 0);
}

TEST(RequestParserTest, SpeaksHttp11AndHttp10Only) {
  EXPECT_EQ(StatusOf("GET / HTTP/2.0"), 505);
  EXPECT_EQ(StatusOf("PRI * HTTP/2.0"), 505);
  EXPECT_EQ(StatusOf("GET / HTTP/1.2"), 505);
  EXPECT_EQ(StatusOf("GET / HTTP/0.9"), 505);
  for (const char* bad :
       {"HTTP/1.10", "http/1.1", "HTTP/1", "HTTP/1,1", "HTTPS/1.1", "HTTP/1.1x"}) {
    EXPECT_EQ(StatusOf("GET / " + std::string(bad)), 400) << bad;
  }
}

TEST(RequestParserTest, AnswersATargetOverItsLimitWith414) {
  EXPECT_EQ(StatusOf("GET /" + std::string(8191, 'a') + " HTTP/1.1"), 0);
  EXPECT_EQ(StatusOf("GET /" + std::string(8192, 'a') + " HTTP/1.1"), 414);
}

TEST(RequestParserTest, TakesExpectContinueAsAFlag) {
  const RequestHead head =
      Parsed("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n");
  EXPECT_TRUE(head.expects_continue);
  EXPECT_FALSE(head.fields.Has("expect"));
  EXPECT_EQ(StatusWith("Expect: a-miracle\r\n"), 417);
}

TEST(RequestParserTest, ExpectsNothingWhereThereIsNoBodyOrHttp10) {
  EXPECT_FALSE(Parsed("GET / HTTP/1.1", "Host: a\r\nExpect: 100-continue\r\n").expects_continue);
  EXPECT_FALSE(
      Parsed("POST / HTTP/1.0", "Content-Length: 5\r\nExpect: 100-continue\r\n").expects_continue);
}

TEST(RequestParserTest, KeepsTheConnectionAsTheMessageSays) {
  EXPECT_TRUE(Parsed("GET / HTTP/1.1").keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.1", "Host: a\r\nConnection: x, Close\r\n").keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.0").keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.0", "Connection: Keep-Alive\r\n").keep_alive);
}

struct Answer {
  bool accepted = false;
  ResponseHead head;
};

Answer Answered(std::string_view start, std::string_view fields = "",
                std::string_view method = "GET") {
  Answer answer;
  answer.accepted = ParseResponseHead(Message(start, fields), method, answer.head).has_value();
  return answer;
}

TEST(ResponseParserTest, SplitsAHead) {
  const auto [accepted, head] = Answered("HTTP/1.1 404 Not here", "Content-Length: 3\r\nA: b\r\n");
  ASSERT_TRUE(accepted);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.phrase, "Not here");
  EXPECT_EQ(head.framing, Framing::Length(3));
  EXPECT_EQ(head.fields.size(), 1U);
  EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseParserTest, RefusesStatusLinesThatAreNone) {
  for (const char* line :
       {"HTTP/1.1 99 x", "HTTP/1.1 1000 x", "HTTP/1.1 600 x", "HTTP/1.1 020 x", "HTTP/2 200 OK",
        "HTTP/2.0 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 2x0 OK", "junk", "HTTP/1.1", "HTTP/1.1 ",
        "ICY 200 OK", "HTTP/1.1 200OK"}) {
    EXPECT_FALSE(Answered(line).accepted) << line;
  }
}

TEST(ResponseParserTest, AllowsAnEmptyReason) {
  EXPECT_TRUE(Answered("HTTP/1.1 200 ", "Content-Length: 0\r\n").accepted);
  EXPECT_TRUE(Answered("HTTP/1.1 200", "Content-Length: 0\r\n").accepted);
}

TEST(ResponseParserTest, RefusesFramingThatIsAmbiguous) {
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: +5\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, chunked\r\n"}) {
    EXPECT_FALSE(Answered("HTTP/1.1 200 OK", fields).accepted) << fields;
  }
  EXPECT_FALSE(Answered("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n").accepted);
}

TEST(ResponseParserTest, EndsWithTheConnectionWhenItSaysNothing) {
  const auto [accepted, head] = Answered("HTTP/1.1 200 OK");
  EXPECT_EQ(head.framing, Framing::UntilClose());
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseParserTest, DeclaresALengthWithoutABodyForHeadAnd304) {
  EXPECT_EQ(Answered("HTTP/1.1 200 OK", "Content-Length: 9\r\n", "HEAD").head.framing,
            Framing::Length(9));
  EXPECT_EQ(Answered("HTTP/1.1 304 x", "Content-Length: 9\r\n").head.framing, Framing::Length(9));
  EXPECT_EQ(Answered("HTTP/1.1 200 OK", "", "HEAD").head.framing, Framing());
  EXPECT_TRUE(Answered("HTTP/1.1 200 OK", "", "HEAD").head.keep_alive);
}

TEST(ResponseParserTest, IgnoresTheFramingOf204AndInterimResponses) {
  EXPECT_EQ(Answered("HTTP/1.1 204 x", "Content-Length: 9\r\n").head.framing, Framing());
  EXPECT_EQ(Answered("HTTP/1.1 103 x", "Transfer-Encoding: chunked\r\n").head.framing, Framing());
}

TEST(ResponseParserTest, DoesNotKeepAConnectionOfHttp10) {
  EXPECT_FALSE(Answered("HTTP/1.0 200 OK", "Content-Length: 1\r\n").head.keep_alive);
  EXPECT_FALSE(
      Answered("HTTP/1.1 200 OK", "Content-Length: 1\r\nConnection: close\r\n").head.keep_alive);
}

}  // namespace
}  // namespace hale::net
