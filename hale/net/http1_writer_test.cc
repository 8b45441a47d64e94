#include "hale/net/http1_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::net {
namespace {

std::string Written(const ResponseHead& head, Framing framing,
                    ConnectionField connection = ConnectionField::kNone) {
  std::string out;
  AppendResponseHead(out, head, framing, connection);
  return out;
}

TEST(HeadWriterTest, WritesARequest) {
  RequestHead head;
  head.method = "POST";
  head.target = "/a?b";
  head.fields.Append("Host", "x");
  std::string out;
  AppendRequestHead(out, head, Framing::Length(12));
  EXPECT_EQ(out, "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n");
}

TEST(HeadWriterTest, WritesAResponseInItsOwnVersion) {
  ResponseHead head;
  head.version = Version::kHttp10;
  head.status = 404;
  EXPECT_EQ(Written(head, Framing::Chunked()),
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(HeadWriterTest, FramingAndConnectionComeFromOnePlace) {
  ResponseHead head;
  head.fields.Append("content-length", "99");
  head.fields.Append("Transfer-Encoding", "chunked");
  head.fields.Append("Connection", "keep-alive");
  EXPECT_EQ(Written(head, Framing::Length(0), ConnectionField::kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(HeadWriterTest, APhraseCannotSplitAMessage) {
  ResponseHead head;
  head.phrase = "OK\r\nX: y";
  EXPECT_EQ(Written(head, Framing()), "HTTP/1.1 200 OK\r\n\r\n");
  head.phrase = "Fine";
  EXPECT_EQ(Written(head, Framing()), "HTTP/1.1 200 Fine\r\n\r\n");
}

TEST(HeadWriterTest, WritesChunkSizesInHexadecimal) {
  std::string out;
  AppendChunkSize(out, 0x1a2b);
  EXPECT_EQ(out, "1a2b\r\n");
}

}  // namespace
}  // namespace hale::net
