#include "hale/net/http1_body.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::net {
namespace {

BodyReader Reader(Framing framing) {
  BodyReader reader;
  reader.Begin(framing);
  return reader;
}

TEST(BodyReaderTest, TakesNoMoreThanTheLength) {
  BodyReader reader = Reader(Framing::Length(5));
  EXPECT_EQ(reader.Take("abc")->data, "abc");
  EXPECT_FALSE(reader.complete());
  const auto piece = reader.Take("deGET /");
  EXPECT_EQ(piece->data, "de");
  EXPECT_EQ(piece->consumed, 2U);
  EXPECT_TRUE(reader.complete());
}

TEST(BodyReaderTest, NothingAndLengthZeroAreCompleteAtOnce) {
  EXPECT_TRUE(Reader(Framing()).complete());
  EXPECT_TRUE(Reader(Framing::Length(0)).complete());
  EXPECT_FALSE(Reader(Framing::Chunked()).complete());
}

TEST(BodyReaderTest, KnowsTheEndOfChunksWithTheLastDataWhenItHasArrived) {
  BodyReader reader = Reader(Framing::Chunked());
  const auto piece = reader.Take("3\r\nabc\r\n0\r\n\r\nGET /");
  EXPECT_EQ(piece->data, "abc");
  EXPECT_EQ(piece->consumed, 13U);
  EXPECT_TRUE(reader.complete());
}

TEST(BodyReaderTest, LookingAheadChangesNothingWhenTheEndHasNotArrived) {
  BodyReader reader = Reader(Framing::Chunked());
  const auto piece = reader.Take("3\r\nabc\r\n0\r\n");
  EXPECT_EQ(piece->consumed, 6U);
  EXPECT_FALSE(reader.complete());
  EXPECT_TRUE(reader.Take("\r\n0\r\n\r\n")->data.empty());
  EXPECT_TRUE(reader.complete());
}

TEST(BodyReaderTest, LookingAheadSwallowsNoDataOfTheNextChunk) {
  BodyReader reader = Reader(Framing::Chunked());
  const std::string_view input = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  const auto first = reader.Take(input);
  EXPECT_EQ(first->data, "abc");
  EXPECT_EQ(reader.Take(input.substr(first->consumed))->data, "de");
  EXPECT_TRUE(reader.complete());
}

TEST(BodyReaderTest, TheEndOfTheStreamEndsOnlyABodyWithoutALength) {
  EXPECT_TRUE(Reader(Framing::UntilClose()).OnStreamEnd());
  EXPECT_FALSE(Reader(Framing::Length(1)).OnStreamEnd());
  EXPECT_FALSE(Reader(Framing::Chunked()).OnStreamEnd());
}

// What goes out for some data: what precedes, the data, what follows.
std::string Sent(BodyWriter& writer, std::string_view data, BodyWriter::Last last) {
  std::string before;
  const auto after = writer.Add(before, data, last);
  if (!after) return "error";
  return before + (writer.sent() ? std::string(data) : "") + std::string(*after);
}

TEST(BodyWriterTest, WrapsChunks) {
  BodyWriter writer;
  writer.Begin(Framing::Chunked(), true);
  EXPECT_EQ(Sent(writer, "0123456789", BodyWriter::Last::kNo), "a\r\n0123456789\r\n");
  EXPECT_EQ(Sent(writer, "", BodyWriter::Last::kNo), "") << "an empty chunk would end the body";
  EXPECT_EQ(Sent(writer, "x", BodyWriter::Last::kYes), "1\r\nx\r\n0\r\n\r\n");
}

TEST(BodyWriterTest, EndsChunksWithoutData) {
  BodyWriter writer;
  writer.Begin(Framing::Chunked(), true);
  EXPECT_EQ(Sent(writer, "", BodyWriter::Last::kYes), "0\r\n\r\n");
}

TEST(BodyWriterTest, HoldsWhatIsWrittenAgainstTheLength) {
  BodyWriter writer;
  writer.Begin(Framing::Length(3), true);
  EXPECT_EQ(Sent(writer, "ab", BodyWriter::Last::kNo), "ab");
  EXPECT_EQ(Sent(writer, "cd", BodyWriter::Last::kNo), "error");
  EXPECT_EQ(Sent(writer, "", BodyWriter::Last::kYes), "error");
  EXPECT_EQ(Sent(writer, "c", BodyWriter::Last::kYes), "c");
}

TEST(BodyWriterTest, SendsNothingOfABodyThatMustNotFollow) {
  BodyWriter writer;
  writer.Begin(Framing::Chunked(), false);
  EXPECT_EQ(Sent(writer, "abc", BodyWriter::Last::kYes), "");
}

}  // namespace
}  // namespace hale::net
