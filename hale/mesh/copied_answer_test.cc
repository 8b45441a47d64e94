#include "hale/mesh/copied_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::mesh {
namespace {

class CopiedAnswerTest : public ::testing::Test {
 protected:
  Duration KeptFor(Duration max_age = kForever) const {
    return MayBeKeptFor(request_, response_, max_age);
  }
  void Say(const std::string& directives) { response_.fields.Set("Cache-Control", directives); }
  CopiedAnswer Copy(std::string body = "body") const {
    return CopyOf(request_, response_, std::move(body));
  }
  net::RequestHead request_;
  net::ResponseHead response_;
};

TEST_F(CopiedAnswerTest, IsSharedAndKeptIfNothingIsSaidAgainstIt) {
  EXPECT_TRUE(MayBeShared(response_));
  EXPECT_EQ(KeptFor(), kForever);
}

TEST_F(CopiedAnswerTest, IsNeitherSharedNorKeptIfItIsSomebodysOwn) {
  for (const auto* own : {"private", "no-store", "max-age=9, Private", "private=\"x\""}) {
    Say(own);
    EXPECT_FALSE(MayBeShared(response_)) << own;
    EXPECT_EQ(KeptFor(), 0s) << own;
  }
}

TEST_F(CopiedAnswerTest, IsNeitherSharedNorKeptIfItSetsACookie) {
  response_.fields.Append("Set-Cookie", "session=1");
  EXPECT_FALSE(MayBeShared(response_));
  EXPECT_EQ(KeptFor(), 0s);
}

TEST_F(CopiedAnswerTest, IsNotSharedIfItVariesByEverything) {
  response_.fields.Append("Vary", "accept, *");
  EXPECT_FALSE(MayBeShared(response_));
}

TEST_F(CopiedAnswerTest, IsNotSharedIfItIsAStreamOfEvents) {
  for (const auto* type : {"text/event-stream; charset=utf-8", "Text/Event-Stream"}) {
    response_.fields.Set("Content-Type", type);
    EXPECT_FALSE(MayBeShared(response_)) << type;
  }
  response_.fields.Set("Content-Type", "text/event");
  EXPECT_TRUE(MayBeShared(response_));
}

TEST_F(CopiedAnswerTest, IsSharedButNotKeptIfItIsNo200) {
  for (const int status : {404, 500, 301, 204}) {
    response_.status = status;
    EXPECT_TRUE(MayBeShared(response_)) << status;
    EXPECT_EQ(KeptFor(), 0s) << status;
  }
}

TEST_F(CopiedAnswerTest, IsSharedButNotKeptIfItMustNotBeStale) {
  for (const auto* directive : {"no-cache", "must-revalidate", "proxy-revalidate"}) {
    Say(directive);
    EXPECT_TRUE(MayBeShared(response_)) << directive;
    EXPECT_EQ(KeptFor(), 0s) << directive;
  }
}

TEST_F(CopiedAnswerTest, IsKeptAsLongAsItsSharedAge) {
  Say("public, S-MaxAge=60");
  EXPECT_EQ(KeptFor(), 60s);
  Say("s-maxage=soon");
  EXPECT_EQ(KeptFor(), 0s);
  Say("s-maxage");
  EXPECT_EQ(KeptFor(), 0s);
}

TEST_F(CopiedAnswerTest, IsKeptOnlyForWhatItsAgeHasLeft) {
  Say("s-maxage=60");
  response_.fields.Append("Age", "50");
  EXPECT_EQ(KeptFor(), 10s);
  EXPECT_EQ(KeptFor(55s), 5s);
  EXPECT_EQ(KeptFor(20s), 0s);
  response_.fields.Set("Age", "99999999999999999999");
  EXPECT_EQ(KeptFor(), 0s);
  response_.fields.Set("Age", "young");
  EXPECT_EQ(KeptFor(), 60s);
}

TEST_F(CopiedAnswerTest, GetsOlderWhileItIsKeptAndNeverWraps) {
  EXPECT_EQ(AgeAfter(response_.fields, 3900ms), 3U);
  response_.fields.Append("Age", "7");
  EXPECT_EQ(AgeAfter(response_.fields, 3s), 10U);
  response_.fields.Set("Age", "18446744073709551615");
  EXPECT_EQ(AgeAfter(response_.fields, 3s), 1U << 31);
}

TEST_F(CopiedAnswerTest, IsKeptForCredentialsOnlyIfItSaysPublic) {
  request_.fields.Append("Authorization", "Bearer x");
  EXPECT_EQ(KeptFor(), 0s);
  Say("public");
  EXPECT_EQ(KeptFor(), kForever);
}

TEST_F(CopiedAnswerTest, IsNotKeptIfItIsAFallbackItself) {
  response_.fields.Append("hale-fallback", "cached");
  EXPECT_EQ(KeptFor(), 0s);
}

TEST_F(CopiedAnswerTest, IsWithoutWhatWasOfOneRequest) {
  response_.fields.Append("x-request-id", "one");
  response_.fields.Append("Connection", "x-hop");
  response_.fields.Append("X-Hop", "1");
  response_.fields.Append("ETag", "\"a\"");
  const CopiedAnswer copy = Copy();
  EXPECT_FALSE(copy.head.fields.Has("x-request-id"));
  EXPECT_FALSE(copy.head.fields.Has("x-hop"));
  EXPECT_TRUE(copy.head.fields.Has("etag"));
}

TEST_F(CopiedAnswerTest, HasALengthHoweverItCame) {
  response_.framing = net::Framing::Chunked();
  EXPECT_EQ(Copy().head.framing, net::Framing::Length(4));
  response_.framing = net::Framing::UntilClose();
  EXPECT_EQ(Copy().head.framing, net::Framing::Length(4));
}

TEST_F(CopiedAnswerTest, DeclaresToAHeadWhatItsAnswerDeclared) {
  request_.method = "HEAD";
  response_.framing = net::Framing::Length(1000);
  EXPECT_EQ(Copy("").head.framing, net::Framing::Length(1000));
}

TEST_F(CopiedAnswerTest, FitsWhoHasTheSameOfWhatItVariesBy) {
  response_.fields.Append("Vary", "Accept-Language, X-Plan");
  request_.fields.Append("X-Plan", "gold");
  const CopiedAnswer copy = Copy();
  net::RequestHead other;
  EXPECT_FALSE(FitsRequest(copy, other));
  other.fields.Append("x-plan", "gold");
  EXPECT_TRUE(FitsRequest(copy, other));
  other.fields.Append("accept-language", "de");
  EXPECT_FALSE(FitsRequest(copy, other));
}

TEST_F(CopiedAnswerTest, SupersedesAnOlderOneIfItIsFinal) {
  for (const int status : {200, 301, 404, 410, 403}) {
    response_.status = status;
    EXPECT_TRUE(Supersedes(response_)) << status;
  }
  for (const int status : {206, 304, 408, 425, 429, 500, 503}) {
    response_.status = status;
    EXPECT_FALSE(Supersedes(response_)) << status;
  }
}

TEST_F(CopiedAnswerTest, TellsOfAChangeIfItIsNoErrorToAMethodThatMayMakeOne) {
  const auto tells = [this](const char* method, int status) {
    request_.method = method;
    response_.status = status;
    return TellsOfAChange(request_, response_);
  };
  for (const auto* method : {"PUT", "POST", "DELETE", "PATCH", "UNHEARD-OF"}) {
    EXPECT_TRUE(tells(method, 200) && tells(method, 204) && tells(method, 303)) << method;
    EXPECT_FALSE(tells(method, 400) || tells(method, 404) || tells(method, 503)) << method;
  }
  for (const auto* method : {"GET", "HEAD", "OPTIONS"}) EXPECT_FALSE(tells(method, 200)) << method;
}

TEST_F(CopiedAnswerTest, CountsWhatItHolds) {
  const std::size_t empty = Copy("").bytes();
  response_.fields.Append("ETag", std::string(100, 'x'));
  EXPECT_GE(Copy(std::string(1000, 'x')).bytes(), empty + 1100);
}

}  // namespace
}  // namespace hale::mesh
