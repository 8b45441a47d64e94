#include "hale/telemetry/json_line.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <string>

namespace hale::telemetry {
namespace {

namespace json = boost::json;

class JsonLineTest : public testing::Test {
 protected:
  // Parses what was written: Boost.JSON refuses whatever is not strictly JSON in UTF-8.
  json::object Parsed() {
    text_ = std::string(line_.Finish());
    return json::parse(text_).as_object();
  }
  std::string RoundTrip(std::string_view value) {
    line_.Text("k", value);
    return std::string(Parsed().at("k").as_string());
  }

  std::array<char, 16384> buffer_;
  JsonLine line_{buffer_};
  std::string text_;
};

std::string Escape(std::string_view text, std::size_t room = 256) {
  std::string out(room, '?');
  out.resize(static_cast<std::size_t>(EscapeJson(text, out).end - out.data()));
  return out;
}

TEST_F(JsonLineTest, AnEmptyLineIsAnEmptyObject) { EXPECT_EQ(line_.Finish(), "{}\n"); }

TEST_F(JsonLineTest, MembersStandInTheOrderOfTheirWriting) {
  line_.Text("a", "x");
  line_.Integer("b", -1);
  line_.Bool("c", true);
  EXPECT_EQ(line_.Finish(), "{\"a\":\"x\",\"b\":-1,\"c\":true}\n");
}

TEST_F(JsonLineTest, EveryAsciiCharacterSurvives) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  EXPECT_EQ(RoundTrip(all), all);
}

TEST_F(JsonLineTest, ALineFeedInAValueDoesNotEndTheLine) {
  line_.Text("k", "a\r\nb");
  const std::string_view line = line_.Finish();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(JsonLineTest, UnicodeIsLeftAsItIs) { EXPECT_EQ(RoundTrip("żółć 日本 😀"), "żółć 日本 😀"); }

TEST(EscapeJsonTest, BrokenUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(Escape("\x80"), "\uFFFD");                           // a lone continuation
  EXPECT_EQ(Escape("\xC0\xAF"), "\uFFFD\uFFFD");                 // overlong
  EXPECT_EQ(Escape("\xE0\x9F\xBF"), "\uFFFD\uFFFD\uFFFD");       // overlong as well
  EXPECT_EQ(Escape("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");       // a surrogate
  EXPECT_EQ(Escape("\xF4\x90\x80\x80").substr(0, 3), "\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(Escape("a\xE2\x82"), "a\uFFFD\uFFFD");               // it ends too early
  EXPECT_EQ(Escape("\xFF z"), "\uFFFD z");
}

TEST(EscapeJsonTest, TheEdgesOfUtf8AreWellFormed) {
  for (const char* edge : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Escape(edge), edge);
  }
}

TEST(EscapeJsonTest, StopsBeforeAnEscapeThatDoesNotFit) {
  EXPECT_EQ(Escape("abc\x01", 8), "abc");
  EXPECT_EQ(Escape("abc\x01", 9), "abc\\u0001");
  EXPECT_EQ(Escape("ab\u20AC", 4), "ab");
}

TEST_F(JsonLineTest, NumbersAreNumbersUpToTheirEnds) {
  line_.Integer("min", std::numeric_limits<std::int64_t>::min());
  line_.Unsigned("max", std::numeric_limits<std::uint64_t>::max());
  line_.Number("third", 1.0 / 3);
  const json::object parsed = Parsed();
  EXPECT_EQ(parsed.at("min").as_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parsed.at("max").as_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parsed.at("third").as_double(), 1.0 / 3);
}

TEST_F(JsonLineTest, WhatIsNoNumberInJsonIsAWord) {
  line_.Number("a", std::nan(""));
  line_.Number("b", -std::numeric_limits<double>::infinity());
  EXPECT_EQ(line_.Finish(), "{\"a\":\"NaN\",\"b\":\"-Infinity\"}\n");
}

TEST_F(JsonLineTest, SpansAreExactSeconds) {
  line_.Span("a", 1500us);
  line_.Span("b", -1ns);
  line_.Span("c", 3s);
  line_.Span("d", Duration::min());
  EXPECT_EQ(line_.Finish(),
            "{\"a\":0.0015,\"b\":-0.000000001,\"c\":3,\"d\":-9223372036.854775808}\n");
}

TEST_F(JsonLineTest, TimeIsRfc3339InUtcWithMicroseconds) {
  // date -u -d '2026-11-23 08:35:01' +%s
  line_.Time("t", WallTime(1795422901s + 123us));
  EXPECT_EQ(line_.Finish(), "{\"t\":\"2026-11-23T08:35:01.000123Z\"}\n");
}

TEST_F(JsonLineTest, TimeBeforeTheEpochDoesNotBreak) {
  line_.Time("t", WallTime(-1us));
  EXPECT_EQ(line_.Finish(), "{\"t\":\"1969-12-31T23:59:59.999999Z\"}\n");
}

TEST_F(JsonLineTest, NoTraceLeavesTheFieldsOut) {
  line_.Trace({});
  EXPECT_EQ(line_.Finish(), "{}\n");
}

TEST_F(JsonLineTest, TraceIdsAreLowerCaseHexadecimal) {
  line_.Trace({.trace_high = 0x4bf92f3577b34da6, .trace_low = 0xa3ce929d0e0e4736, .span = 0xf067});
  EXPECT_EQ(line_.Finish(),
            "{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":\"000000000000f067\"}"
            "\n");
}

TEST_F(JsonLineTest, AMebibyteIsCutAndSaysSo) {
  line_.Text("message", std::string(1 << 20, '\n'), 1 << 20);
  line_.Text("late", "x");
  const json::object parsed = Parsed();
  EXPECT_TRUE(parsed.at("truncated").as_bool());
  EXPECT_FALSE(parsed.contains("late"));
  EXPECT_LE(text_.size(), buffer_.size());
}

TEST_F(JsonLineTest, ALimitCutsAtACharacter) {
  line_.Text("k", "ab\u20AC", 4);
  EXPECT_EQ(line_.Finish(), "{\"k\":\"ab\",\"truncated\":true}\n");
}

TEST_F(JsonLineTest, AHostileKeyIsEscapedAndCut) {
  line_.Text("a\"\n" + std::string(500, 'k'), "v");
  EXPECT_EQ(Parsed().begin()->key().size(), 128);
}

TEST(JsonLineSmallTest, WhateverTheBufferTheLineIsJson) {
  for (std::size_t size = 64; size < 400; ++size) {
    std::string buffer(size, '?');
    JsonLine line(buffer);
    line.Text("first", "\x01\x02 text with \"quotes\" and \xFF");
    line.Number("second", 1e-300);
    line.Time("third", WallTime(0s));
    line.Bool("fourth", false);
    line.Text("fifth", std::string(100, 'x'));
    EXPECT_NO_THROW(json::parse(line.Finish())) << size;
  }
}

}  // namespace
}  // namespace hale::telemetry
