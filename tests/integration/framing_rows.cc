#include "framing_rows.h"

#include <string_view>

namespace hale::test {
namespace {

using namespace std::string_literals;

std::string Post(const std::string& fields, const std::string& body = "") {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

std::string Get(const std::string& fields, const std::string& target = "/g") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string Chunked(const std::string& body) {
  return Post("Transfer-Encoding: chunked\r\n", body);
}

// Refused: one answer, the connection closed, nothing of what follows served, nothing forwarded.
RequestRow Refused(const std::string& name, const std::string& sent, int status = 400) {
  return {.name = name,
          .sent = sent + std::string(kEnd),
          .statuses = {status},
          .forwarded = 0,
          .origin_has = "",
          .origin_lacks = ""};
}

// Served: both answers come, and the origin has got both requests.
RequestRow Served(const std::string& name, const std::string& sent, const std::string& has = "",
                  const std::string& lacks = "") {
  return {.name = name,
          .sent = sent + std::string(kEnd),
          .statuses = {200, 200},
          .forwarded = 2,
          .origin_has = has,
          .origin_lacks = lacks};
}

std::string Reply(const std::string& fields, const std::string& body = "",
                  const std::string& line = "HTTP/1.1 200 OK") {
  return line + "\r\n" + fields + "\r\n" + body;
}

AnswerRow Row(const std::string& name, OriginAnswer answer) {
  AnswerRow row;
  row.name = name;
  row.method = "GET";
  row.answer = std::move(answer);
  return row;
}

AnswerRow Good(const std::string& name, const std::string& bytes, const std::string& body) {
  AnswerRow row = Row(name, bytes);
  row.body = body;
  return row;
}

AnswerRow Bad(const std::string& name, const std::string& bytes) {
  AnswerRow row = Row(name, bytes);
  row.status = 502;
  row.reused = false;
  row.reply_has = "hale-reason: upstream_protocol";
  row.body = "*";
  return row;
}

AnswerRow NotReused(AnswerRow row) {
  row.reused = false;
  return row;
}

AnswerRow With(AnswerRow row, const std::string& method, int status = 200) {
  row.method = method;
  row.status = status;
  return row;
}

AnswerRow Says(AnswerRow row, const std::string& has, const std::string& lacks = "") {
  row.reply_has = has;
  row.reply_lacks = lacks;
  return row;
}

void AddFraming(std::vector<RequestRow>& rows) {
  rows.push_back(
      Refused("1 two lengths", Post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")));
  rows.push_back(Refused("2 length 5, 5", Post("Content-Length: 5, 5\r\n", "hello")));
  rows.push_back(
      Refused("2 length twice", Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")));
  for (const char* length : {"+5", "-1", "0x5", "5_0", "", "9223372036854775808"}) {
    rows.push_back(Refused("3 length '"s + length + "'",
                           Post("Content-Length: "s + length + "\r\n", "hello")));
  }
  rows.push_back(
      Refused("4 both", Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")));
  for (const char* coding : {"gzip", "chunked, gzip"}) {
    rows.push_back(Refused("5 coding "s + coding,
                           Post("Transfer-Encoding: "s + coding + "\r\n", "0\r\n\r\n")));
  }
  for (const char* coding : {"xchunked", "chunkedchunked"}) {
    rows.push_back(Refused("6 coding "s + coding,
                           Post("Transfer-Encoding: "s + coding + "\r\n", "0\r\n\r\n"), 501));
  }
  for (const char* coding : {"chunked, chunked", ",chunked",
                             "\x0b"
                             "chunked",
                             "chunked\r\nTransfer-Encoding: chunked"}) {
    rows.push_back(Refused("7 coding "s + coding,
                           Post("Transfer-Encoding: "s + coding + "\r\n", "0\r\n\r\n")));
  }
  rows.push_back(
      Refused("8 coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  for (const char* size : {"0x5", "+5", "5_", "", " 5", "5 ", "fffffffffffffffff"}) {
    rows.push_back(
        Refused("9 chunk size '"s + size + "'", Chunked(size + "\r\nhello\r\n0\r\n\r\n"s)));
  }
  for (const char* body : {"3\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
                           "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n"}) {
    rows.push_back(Refused("10 chunks "s + body, Chunked(body)));
  }
  rows.push_back(Served("11 extension", Chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
                        "5\r\nhello\r\n0\r\n\r\n", "a=b"));
  rows.push_back(Refused("12 extensions",
                         Chunked("5;" + std::string(17'000, 'x') + "\r\nhello\r\n0\r\n\r\n")));
  rows.push_back(Served("14 trailers",
                        Chunked("5\r\nhello\r\n0\r\nX-Trail: 1\r\nHost: evil\r\n\r\n"),
                        "5\r\nhello\r\n0\r\n\r\n", "evil"));
}

void AddLines(std::vector<RequestRow>& rows) {
  rows.push_back(Refused("15 space before colon", Get("X : y\r\n")));
  rows.push_back(Refused("15 tab before colon", Get("X\t: y\r\n")));
  rows.push_back(Refused("16 folded", Get("X: y\r\n z\r\n")));
  rows.push_back(Refused("18 NUL", Get("X: y\0z\r\n"s)));
  rows.push_back(Refused("18 CR", Get("X: y\rz\r\n")));
  rows.push_back(Refused("19 CR ends a line", "GET / HTTP/1.1\rHost: a\r\r"));
  rows.push_back(Refused("19 CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"));
  rows.push_back(Refused("20 bare LF", "GET / HTTP/1.1\nHost: a\n\n"));
  rows.push_back(Refused("20 bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n"));
  rows.push_back(Refused("21 white line", "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"));
  rows.push_back(Served("22 one empty line", "\r\n" + Get("")));
  rows.push_back(Refused("22 many empty lines", "\r\n\r\n\r\n\r\n\r\n" + Get("")));
  rows.push_back(Refused("23 no Host", "GET / HTTP/1.1\r\n\r\n"));
  rows.push_back(Refused("23 two Hosts", Get("Host: b\r\n")));
  rows.push_back(Refused("23 bad Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"));
  rows.push_back(Served("24 absolute form", Get("", "http://b/x?y"),
                        "GET /x?y HTTP/1.1\r\nHost: b\r\n", "Host: a\r\n"));
  for (const char* target : {"/a#b", "/a\x01", "/a b", "/\x80"}) {
    rows.push_back(Refused("25 target "s + target, Get("", target)));
  }
  rows.push_back(
      Served("26 asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"));
  rows.push_back(Refused("26 authority form", Get("", "a:80")));
  rows.push_back(
      Refused("27 long method", std::string(64, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501));
  rows.push_back(Refused("27 bad method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"));
  rows.push_back(Refused("28 HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"));
  rows.push_back(Refused("28 HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505));
  rows.push_back(Refused("28 lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"));
  rows.push_back(Served("28 own version",
                        "GET /v HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
                        "GET /v HTTP/1.1\r\n"));
}

void AddFields(std::vector<RequestRow>& rows) {
  rows.push_back(
      Served("29 nominated", Get("Connection: X-Foo\r\nX-Foo: secret\r\n"), "", "secret"));
  rows.push_back(
      Served("30 protected",
             Get("Connection: Host, Authorization, X-Forwarded-For\r\nAuthorization: b\r\n"),
             "Authorization: b\r\n"));
  rows.push_back(Served("31 hop by hop",
                        Get("Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\nUpgrade: "
                            "h2c\r\nConnection: Upgrade\r\n"),
                        "", "Keep-Alive"));
  rows.push_back(Served("31 upgrade", Get("Upgrade: h2c\r\nConnection: Upgrade\r\n"), "", "h2c"));
  rows.push_back(Served("47 no expectation", Post("Content-Length: 5\r\n", "hello"), "hello"));
  rows.push_back(
      Refused("47 unknown expectation", Post("Expect: x\r\nContent-Length: 5\r\n", "hello"), 417));
  rows.push_back(Refused("56 CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501));
  rows.push_back(RequestRow{.name = "59 second is malformed",
                            .sent = Get("") + Get("X : y\r\n") + std::string(kEnd),
                            .statuses = {200, 400},
                            .forwarded = 1,
                            .origin_has = "GET /g",
                            .origin_lacks = "/end"});
  rows.push_back(Refused("60 body unread",
                         Post("X : y\r\nContent-Length: 100000\r\n", std::string(100'000, 'x'))));
  rows.push_back(Refused("72 large head", Get("X: " + std::string(33'000, 'x') + "\r\n"), 431));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  rows.push_back(Refused("72 many fields", Get(many), 431));
  rows.push_back(Refused("73 long target", Get("", "/" + std::string(9'000, 'x')), 414));
}

void AddBad(std::vector<AnswerRow>& rows) {
  rows.push_back(Bad("17 folded", Reply("X: y\r\n z\r\nContent-Length: 2\r\n", "ok")));
  rows.push_back(Bad("17 space before colon", Reply("X : y\r\nContent-Length: 2\r\n", "ok")));
  rows.push_back(Bad("18 NUL", Reply("X: y\0z\r\nContent-Length: 2\r\n"s, "ok")));
  rows.push_back(Bad("50 both", Reply("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                                      "2\r\nok\r\n0\r\n\r\n")));
  for (const char* length : {"+2", "2, 2", "x", "2\r\nContent-Length: 3"}) {
    rows.push_back(Bad("50 length "s + length, Reply("Content-Length: "s + length + "\r\n", "ok")));
  }
  for (const char* line : {"HTTP/1.1 99 x", "HTTP/1.1 1000 x", "junk", "HTTP/2.0 200 OK"}) {
    rows.push_back(Bad("51 line "s + line, Reply("Content-Length: 2\r\n", "ok", line)));
  }
  rows.push_back(Bad("52 101 unasked", Reply("Upgrade: x\r\nConnection: Upgrade\r\n", "",
                                             "HTTP/1.1 101 Switching Protocols")));
  rows.push_back(Bad("75 large head",
                     Reply("X: " + std::string(33'000, 'x') + "\r\nContent-Length: 2\r\n", "ok")));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  rows.push_back(Bad("75 many fields", Reply(many + "Content-Length: 2\r\n", "ok")));
}

void AddBodies(std::vector<AnswerRow>& rows) {
  rows.push_back(
      Says(Good("40 repeated fields",
                Reply("Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n", "ok"), "ok"),
           "Set-Cookie: a\r\nSet-Cookie: b\r\n"));
  rows.push_back(Says(With(Good("41 HEAD", Reply("Content-Length: 100\r\n"), ""), "HEAD"),
                      "Content-Length: 100\r\n"));
  rows.push_back(NotReused(
      With(Good("41 HEAD with a body", Reply("Content-Length: 5\r\n", "extra"), ""), "HEAD")));
  rows.push_back(Says(
      NotReused(With(Good("42 204 with a body",
                          Reply("Content-Length: 5\r\n", "extra", "HTTP/1.1 204 No Content"), ""),
                     "GET", 204)),
      "", "Content-Length"));
  rows.push_back(
      Says(With(Good("42 204 chunked",
                     Reply("Transfer-Encoding: chunked\r\n", "", "HTTP/1.1 204 No Content"), ""),
                "GET", 204),
           "", "Transfer-Encoding"));
  rows.push_back(
      NotReused(With(Good("42 304 with a body",
                          Reply("Content-Length: 5\r\n", "extra", "HTTP/1.1 304 Not Modified"), ""),
                     "GET", 304)));
  rows.push_back(NotReused(
      Says(With(Good("43 205 without a length", Reply("", "", "HTTP/1.1 205 Reset Content"), ""),
                "GET", 205),
           "Content-Length: 0\r\n")));
  rows.push_back(
      With(Good("43 205", Reply("Content-Length: 0\r\n", "", "HTTP/1.1 205 Reset Content"), ""),
           "GET", 205));
  rows.push_back(Says(
      Good(
          "44 103",
          "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\n" +
              Reply("Content-Length: 2\r\n", "ok"),
          "ok"),
      "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
      "b\r\n\r\nHTTP/1.1 200 OK\r\n"));
  AnswerRow closing =
      Row("49 until close", OriginAnswer(Reply("", "hello"), OriginAnswer::Then::kClose));
  closing.body = "hello";
  rows.push_back(Says(NotReused(closing), "Transfer-Encoding: chunked\r\n"));
  rows.push_back(Good("51 no reason", Reply("Content-Length: 2\r\n", "ok", "HTTP/1.1 200"), "ok"));
  rows.push_back(
      Good("chunked",
           Reply("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"),
           "abcde"));
  rows.push_back(NotReused(Good("69 bytes after the end",
                                Reply("Content-Length: 2\r\n", "okHTTP/1.1 200 OK\r\n"), "ok")));
  AnswerRow later = Good("69 bytes later", Reply("Content-Length: 2\r\n", "ok"), "ok");
  later.answer.later = Reply("Content-Length: 4\r\n", "evil");
  rows.push_back(NotReused(later));
  rows.push_back(
      NotReused(Good("70 close", Reply("Content-Length: 2\r\nConnection: close\r\n", "ok"), "ok")));
  rows.push_back(NotReused(
      Good("70 HTTP/1.0", Reply("Content-Length: 2\r\n", "ok", "HTTP/1.0 200 OK"), "ok")));
}

void AddBroken(std::vector<AnswerRow>& rows) {
  const auto cut = [&](const std::string& name, const std::string& bytes, OriginAnswer::Then then) {
    AnswerRow row = NotReused(Row(name, OriginAnswer(bytes, then)));
    row.complete = false;
    rows.push_back(row);
  };
  using Then = OriginAnswer::Then;
  cut("67 short length", Reply("Content-Length: 10\r\n", "hello"), Then::kClose);
  cut("67 reset in a length", Reply("Content-Length: 10\r\n", "hello"), Then::kReset);
  cut("67 short chunks", Reply("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), Then::kClose);
  cut("67 bad chunk", Reply("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nx\r\n"), Then::kHang);
  for (const Then then : {Then::kClose, Then::kReset}) {
    AnswerRow silent = NotReused(Row("63 no answer", OriginAnswer("", then)));
    silent.status = 502;
    silent.reply_has = "hale-reason: upstream_reset";
    silent.body = "*";
    rows.push_back(silent);
  }
  AnswerRow hang = NotReused(Row("80 silent", OriginAnswer("", Then::kHang)));
  hang.status = 504;
  hang.reply_has = "hale-reason: upstream_timeout";
  hang.body = "*";
  rows.push_back(hang);
}

}  // namespace

std::vector<RequestRow> RequestRows() {
  std::vector<RequestRow> rows;
  AddFraming(rows);
  AddLines(rows);
  AddFields(rows);
  return rows;
}

std::vector<AnswerRow> AnswerRows() {
  std::vector<AnswerRow> rows;
  AddBad(rows);
  AddBodies(rows);
  AddBroken(rows);
  return rows;
}

}  // namespace hale::test
