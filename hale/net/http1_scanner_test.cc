#include "hale/net/http1_scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::net {
namespace {

using namespace std::string_view_literals;

std::expected<std::size_t, Verdict> Scan(std::string_view bytes, HeadLimits limits = {}) {
  HeadScanner scanner(HeadScanner::Of::kRequest, limits);
  return scanner.Scan(bytes);
}

int StatusOf(std::string_view bytes, HeadLimits limits = {}) {
  const auto size = Scan(bytes, limits);
  return size ? 0 : size.error().status;
}

TEST(HeadScannerTest, FindsTheEmptyLine) {
  constexpr auto kHead = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv;
  EXPECT_EQ(Scan(std::string(kHead) + "body"), kHead.size());
}

TEST(HeadScannerTest, GivesTheSameForEveryWayTheBytesArrive) {
  constexpr auto kHead = "\r\nGET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"sv;
  HeadScanner scanner(HeadScanner::Of::kRequest, {});
  for (std::size_t i = 1; i < kHead.size(); ++i) ASSERT_EQ(scanner.Scan(kHead.substr(0, i)), 0U);
  EXPECT_EQ(scanner.Scan(kHead), kHead.size());
  EXPECT_EQ(scanner.start(), 2U);
}

TEST(HeadScannerTest, RefusesLinesThatDoNotEndWithCrLf) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\rHost: a\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\rC: d\r\n"), 400);
  EXPECT_EQ(StatusOf("\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\r\n"), 400);
}

TEST(HeadScannerTest, RefusesControlCharacters) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\0c\r\n"sv), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\x7f\r\n"), 400);
  EXPECT_EQ(StatusOf("GET /\x01 HTTP/1.1\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\tc\xe9\r\n"), 0) << "HTAB and obs-text are allowed";
}

TEST(HeadScannerTest, RefusesFoldedLinesAndSpaceAroundNames) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: b\r\n c\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\tA: b\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA : b\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA\t: b\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n: b\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nno colon\r\n"), 400);
}

TEST(HeadScannerTest, IgnoresFourEmptyLinesBeforeARequestAndNoneBeforeAResponse) {
  EXPECT_EQ(StatusOf("\r\n\r\n\r\n\r\n"), 0);
  EXPECT_EQ(StatusOf("\r\n\r\n\r\n\r\n\r\n"), 400);
  HeadScanner scanner(HeadScanner::Of::kResponse, {});
  EXPECT_FALSE(scanner.Scan("\r\n"));
}

TEST(HeadScannerTest, HoldsALongHeadBeforeItsEnd) {
  const HeadLimits limits{.bytes = 100, .fields = 100, .target = 50};
  const std::string head = "GET / HTTP/1.1\r\nA: " + std::string(79, 'x') + "\r\n";
  EXPECT_EQ(head.size(), 100U);
  EXPECT_EQ(StatusOf(head, limits), 0);
  EXPECT_EQ(StatusOf(head + "\r", limits), 431);
  EXPECT_EQ(StatusOf(head + "\r\n", limits), 431);
}

TEST(HeadScannerTest, CountsFields) {
  const HeadLimits limits{.bytes = 1000, .fields = 2, .target = 50};
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n", limits), 0);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n", limits), 431);
}

TEST(HeadScannerTest, AnswersALongRequestLineWith414BeforeItsEnd) {
  const HeadLimits limits{.bytes = 1000, .fields = 2, .target = 50};
  EXPECT_EQ(StatusOf("GET /" + std::string(77, 'x'), limits), 0);
  EXPECT_EQ(StatusOf("GET /" + std::string(78, 'x'), limits), 414);
}

TEST(HeadScannerTest, IsReadyAgainAfterReset) {
  HeadScanner scanner(HeadScanner::Of::kRequest, {});
  ASSERT_TRUE(scanner.Scan("GET / HTTP/1.1\r\n\r\n"));
  scanner.Reset();
  EXPECT_EQ(scanner.Scan("GET /b HTTP/1.1\r\n\r\n"), 19U);
}

}  // namespace
}  // namespace hale::net
