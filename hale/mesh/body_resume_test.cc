#include "hale/mesh/body_resume.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

class BodyResumeTest : public testing::Test {
 protected:
  BodyResumeTest() {
    answer_.framing = net::Framing::Length(1000);
    answer_.fields.Append("ETag", "\"v1\"");
  }
  std::optional<BodyResume> Of() const { return BodyResume::Of(request_, answer_); }
  static net::ResponseHead Rest(std::string_view range, std::uint64_t length) {
    net::ResponseHead rest;
    rest.status = 206;
    rest.framing = net::Framing::Length(length);
    rest.fields.Append("ETag", "\"v1\"");
    rest.fields.Append("Content-Range", range);
    return rest;
  }

  net::RequestHead request_;
  net::ResponseHead answer_;
};

TEST_F(BodyResumeTest, ContinuesAGetWhoseAnswerHasALengthAndAStrongTag) { EXPECT_TRUE(Of()); }

TEST_F(BodyResumeTest, DoesNotContinueOtherMethods) {
  request_.method = "POST";
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, DoesNotContinueAnAnswerWithoutAStrongTag) {
  for (const std::string_view tag : {"W/\"v1\"", "v1", "\"", ""}) {
    answer_.fields.Set("ETag", tag);
    EXPECT_FALSE(Of()) << tag;
  }
  answer_.fields.Remove("etag");
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, DoesNotContinueAnAnswerWithTwoTags) {
  answer_.fields.Append("etag", "\"v2\"");
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, DoesNotContinueABodyOfUnknownLength) {
  answer_.framing = net::Framing::Chunked();
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, DoesNotContinueARangeNorWhatIsNotOk) {
  answer_.status = 404;
  EXPECT_FALSE(Of());
  answer_.status = 200;
  request_.fields.Append("Range", "bytes=5-");
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, DoesNotContinueWhatHasAConditionOnARangeOfItsOwn) {
  request_.fields.Append("If-Range", "\"v0\"");
  EXPECT_FALSE(Of());
}

TEST_F(BodyResumeTest, AsksForWhatIsMissingOfTheSameRepresentation) {
  Of()->Ask(request_, 400);
  EXPECT_EQ(request_.fields.Find("range"), "bytes=400-");
  EXPECT_EQ(request_.fields.Find("if-range"), "\"v1\"");
}

TEST_F(BodyResumeTest, LeavesARequestAsItWas) {
  Of()->Ask(request_, 400);
  BodyResume::Unask(request_);
  EXPECT_FALSE(request_.fields.Has("range"));
  EXPECT_FALSE(request_.fields.Has("if-range"));
}

TEST_F(BodyResumeTest, AsksForAllWhenNothingWasRelayed) {
  Of()->Ask(request_, 0);
  EXPECT_FALSE(request_.fields.Has("range"));
}

TEST_F(BodyResumeTest, TakesThePartThatBeginsWhereTheFirstOneBroke) {
  EXPECT_EQ(Of()->Overlap(Rest("bytes 400-999/1000", 600), 400), 0);
}

TEST_F(BodyResumeTest, RefusesAnotherPart) {
  EXPECT_FALSE(Of()->Overlap(Rest("bytes 399-999/1000", 601), 400));
  EXPECT_FALSE(Of()->Overlap(Rest("bytes 400-998/1000", 599), 400));
  EXPECT_FALSE(Of()->Overlap(Rest("bytes 400-999/2000", 600), 400));
  EXPECT_FALSE(Of()->Overlap(Rest("bytes 400-999/1000", 500), 400));
}

TEST_F(BodyResumeTest, SkipsWhatWasRelayedWhenItGetsTheWholeAgain) {
  EXPECT_EQ(Of()->Overlap(answer_, 400), 400);
}

TEST_F(BodyResumeTest, RefusesAnotherVersionAndAnotherLength) {
  net::ResponseHead other = answer_;
  other.fields.Set("ETag", "\"v2\"");
  EXPECT_FALSE(Of()->Overlap(other, 400));
  other = answer_;
  other.framing = net::Framing::Length(999);
  EXPECT_FALSE(Of()->Overlap(other, 400));
}

}  // namespace
}  // namespace hale::mesh
