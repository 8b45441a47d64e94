#include "hale/net/http_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hale::net {
namespace {

std::string Left(std::initializer_list<Fields::Line> lines) {
  Fields fields;
  for (const auto& line : lines) fields.Append(line.name, line.value);
  RemoveHopByHop(fields);
  std::string names;
  for (const auto& line : fields)
    names.append(line.name).append("=").append(line.value).append(";");
  return names;
}

TEST(HopByHopTest, RemovesConnectionAndWhatItNominates) {
  EXPECT_EQ(Left({{"Connection", "close, X-Foo"}, {"x-foo", "1"}, {"X-Bar", "2"}}), "X-Bar=2;");
}

TEST(HopByHopTest, FollowsEveryConnectionLine) {
  EXPECT_EQ(Left({{"Connection", "a"}, {"A", "1"}, {"B", "2"}, {"connection", ", b"}}), "");
}

TEST(HopByHopTest, AConnectionCannotTakeAwayWhatIsProtected) {
  EXPECT_EQ(Left({{"Connection", "Host, Authorization, X-Forwarded-For, Cookie, hale-attempt"},
                  {"Host", "a"},
                  {"Authorization", "b"},
                  {"X-Forwarded-For", "c"},
                  {"Cookie", "d"},
                  {"hale-attempt", "1"}}),
            "Host=a;Authorization=b;X-Forwarded-For=c;Cookie=d;hale-attempt=1;");
}

TEST(HopByHopTest, RemovesTheFixedList) {
  EXPECT_EQ(Left({{"Keep-Alive", "timeout=5"},
                  {"Proxy-Connection", "keep-alive"},
                  {"TE", "gzip"},
                  {"Transfer-Encoding", "chunked"},
                  {"Upgrade", "h2c"},
                  {"Trailer", "x"},
                  {"Accept", "*/*"}}),
            "Accept=*/*;");
}

TEST(HopByHopTest, KeepsThatTrailersAreAccepted) {
  EXPECT_EQ(Left({{"TE", "gzip, trailers"}, {"Connection", "TE"}}), "te=trailers;");
}

TEST(HttpHeadTest, TakesATargetApart) {
  RequestHead head;
  head.target = "/a%20b?c=d?e";
  EXPECT_EQ(head.path(), "/a%20b");
  EXPECT_EQ(head.query(), "c=d?e");
  head.target = "/a";
  EXPECT_EQ(head.path(), "/a");
  EXPECT_EQ(head.query(), "");
}

TEST(HttpHeadTest, KnowsWhichMethodsMayBeSentTwice) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(IsIdempotent(method)) << method;
  }
  for (const char* method : {"POST", "PATCH", "LOCK", "get", ""}) {
    EXPECT_FALSE(IsIdempotent(method)) << method;
  }
}

TEST(HttpHeadTest, KnowsWhichResponsesHaveABody) {
  EXPECT_TRUE(HasBody("GET", 200));
  EXPECT_TRUE(HasBody("GET", 404));
  EXPECT_FALSE(HasBody("HEAD", 200));
  for (const int status : {100, 103, 204, 304}) EXPECT_FALSE(HasBody("GET", status)) << status;
}

TEST(HttpHeadTest, FindsATokenInAnyListOfThatName) {
  Fields fields;
  fields.Append("Connection", "upgrade ,, Keep-Alive");
  fields.Append("connection", "close");
  EXPECT_TRUE(HasToken(fields, "Connection", "keep-alive"));
  EXPECT_TRUE(HasToken(fields, "Connection", "CLOSE"));
  EXPECT_FALSE(HasToken(fields, "Connection", "clos"));
}

TEST(HttpHeadTest, HasStandardPhrases) {
  EXPECT_EQ(StandardPhrase(200), "OK");
  EXPECT_EQ(StandardPhrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(StandardPhrase(299), "");
}

}  // namespace
}  // namespace hale::net
