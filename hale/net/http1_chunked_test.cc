#include "hale/net/http1_chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace hale::net {
namespace {

struct Decoded {
  std::string body;
  std::string wrong;  // the sentence, when it failed
  std::size_t consumed = 0;
  bool done = false;
};

// Feeds at most `step` bytes at a time.
Decoded Decode(std::string_view input, std::size_t step = std::string_view::npos) {
  ChunkedDecoder decoder;
  Decoded decoded;
  while (!input.empty() && !decoder.done()) {
    const auto result = decoder.Decode(input.substr(0, step));
    if (!result) {
      decoded.wrong = result.error().sentence;
      return decoded;
    }
    decoded.body.append(result->data);
    decoded.consumed += result->consumed;
    input.remove_prefix(result->consumed);
  }
  decoded.done = decoder.done();
  return decoded;
}

TEST(ChunkedDecoderTest, GivesTheBodyAndLeavesWhatFollows) {
  const auto decoded = Decode("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /");
  EXPECT_EQ(decoded.body, "hello world");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.consumed, 26U);
}

TEST(ChunkedDecoderTest, GivesTheSameByteForByte) {
  const auto decoded = Decode("A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n", 1);
  EXPECT_EQ(decoded.body, "0123456789");
  EXPECT_TRUE(decoded.done);
}

TEST(ChunkedDecoderTest, DropsExtensionsAndTrailers) {
  const std::string_view sent = "3;a=b;c\r\nabc\r\n00;z\r\nX-Sum: 1\r\nY:\r\n\r\n";
  const auto decoded = Decode(sent);
  EXPECT_EQ(decoded.body, "abc");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.consumed, sent.size()) << "what is left would be the next request";
}

TEST(ChunkedDecoderTest, RefusesASizeThatIsNotHexadecimalDigits) {
  for (const char* size : {"0x5", "+5", "-5", "5_", "", " 5", "5 ", "\t5", "g", "5\x0b"}) {
    const auto decoded = Decode(std::string(size) + "\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(decoded.wrong, "a chunk size is not hexadecimal digits") << size;
  }
}

TEST(ChunkedDecoderTest, RefusesASizeBeyond63Bits) {
  EXPECT_EQ(Decode("7fffffffffffffff\r\n").wrong, "");
  EXPECT_EQ(Decode("8000000000000000\r\n").wrong, "a chunk size overflows");
  EXPECT_EQ(Decode("10000000000000005\r\n").wrong, "a chunk size overflows");
  EXPECT_EQ(Decode("00000000000000000000005\r\nhello").body, "hello") << "zeros are no overflow";
}

TEST(ChunkedDecoderTest, RefusesDataThatDoesNotEndWhereItSaid) {
  EXPECT_EQ(Decode("3\r\nhello\r\n0\r\n\r\n").wrong, "a chunk is longer than its size");
  EXPECT_NE(Decode("5\r\nhello0\r\n\r\n").wrong, "");
}

TEST(ChunkedDecoderTest, RefusesBareLineFeedsEverywhere) {
  for (const char* input :
       {"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\n", "5;a\nhello\r\n", "0\r\nA: b\n\r\n"}) {
    EXPECT_NE(Decode(input).wrong, "") << input;
  }
}

TEST(ChunkedDecoderTest, RefusesBareCarriageReturns) {
  EXPECT_NE(Decode("5\rhello\r\n0\r\n\r\n").wrong, "");
  EXPECT_NE(Decode("5;a\rb\r\nhello\r\n").wrong, "");
  EXPECT_NE(Decode("0\r\nA: b\rc\r\n\r\n").wrong, "");
}

TEST(ChunkedDecoderTest, BoundsTheExtensionsOfAllChunksTogether) {
  const std::string eight_kib(8 * 1024, 'x');
  const std::string chunk = "1;" + eight_kib + "\r\na\r\n";
  EXPECT_EQ(Decode(chunk + chunk + "0\r\n\r\n").wrong, "");
  EXPECT_EQ(Decode(chunk + chunk + "1;y\r\na\r\n").wrong,
            "the chunk extensions are over their limit");
}

TEST(ChunkedDecoderTest, BoundsTheTrailers) {
  const std::string trailers = "0\r\nA: " + std::string(16 * 1024, 'x');
  EXPECT_EQ(Decode(trailers + "\r\n\r\n").wrong, "the trailers are over their limit");
}

TEST(ChunkedDecoderTest, RefusesATrailerWithoutAName) {
  EXPECT_NE(Decode("0\r\n: b\r\n\r\n").wrong, "");
  EXPECT_NE(Decode("0\r\n a: b\r\n\r\n").wrong, "");
  EXPECT_NE(Decode("0\r\na b\r\n\r\n").wrong, "");
}

}  // namespace
}  // namespace hale::net
