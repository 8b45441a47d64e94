#include "hale/telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::telemetry {
namespace {

constexpr std::string_view kValid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class ZeroRandom final : public Random {
 public:
  std::uint64_t Next() override { return 0; }
};

std::string Text(const TraceContext& context) {
  const auto text = Traceparent(context);
  return {text.data(), text.size()};
}

std::string Replaced(std::size_t at, char with) {
  std::string value(kValid);
  value[at] = with;
  return value;
}

TEST(TraceparentTest, ReadsEachPart) {
  const auto context = ParseTraceparent(kValid);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_high, 0x4bf92f3577b34da6U);
  EXPECT_EQ(context->trace_low, 0xa3ce929d0e0e4736U);
  EXPECT_EQ(context->span, 0x00f067aa0ba902b7U);
  EXPECT_TRUE(context->sampled);
  EXPECT_FALSE(context->random);
}

TEST(TraceparentTest, WritesWhatItReads) { EXPECT_EQ(Text(*ParseTraceparent(kValid)), kValid); }

TEST(TraceparentTest, UnknownFlagsAreSentAsZero) {
  const auto context = ParseTraceparent(std::string(kValid.substr(0, 53)) + "ff");
  ASSERT_TRUE(context);
  EXPECT_EQ(Text(*context).substr(53), "03");
}

TEST(TraceparentTest, BlanksAroundItAreAllowed) {
  EXPECT_TRUE(ParseTraceparent(" \t" + std::string(kValid) + "\t "));
}

TEST(TraceparentTest, UpperCaseIsMalformed) {
  EXPECT_FALSE(ParseTraceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A"));
}

TEST(TraceparentTest, AllZeroIdsAreMalformed) {
  EXPECT_FALSE(ParseTraceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
}

TEST(TraceparentTest, EveryCharacterMatters) {
  for (std::size_t at = 0; at < kValid.size(); ++at) {
    EXPECT_FALSE(ParseTraceparent(Replaced(at, 'g'))) << at;
    EXPECT_FALSE(ParseTraceparent(kValid.substr(0, at))) << at;
  }
}

TEST(TraceparentTest, VersionFfIsMalformed) {
  EXPECT_FALSE(ParseTraceparent("ff" + std::string(kValid.substr(2))));
}

TEST(TraceparentTest, ALaterVersionIsReadByItsFirstPart) {
  const std::string later = "cc" + std::string(kValid.substr(2));
  for (const auto* rest : {"", "-", "-what-the-future-brings"}) {
    const auto context = ParseTraceparent(later + rest);
    ASSERT_TRUE(context) << rest;
    EXPECT_EQ(Text(*context), kValid);
  }
  EXPECT_FALSE(ParseTraceparent(later + ".what-the-future-does-not-bring"));
}

TEST(TraceparentTest, VersionZeroIsNoLonger) {
  EXPECT_FALSE(ParseTraceparent(std::string(kValid) + "-"));
  EXPECT_FALSE(ParseTraceparent(std::string(kValid) + "0"));
}

TEST(TraceparentTest, ANewTraceIsValidWhateverTheDice) {
  ZeroRandom zero;
  EXPECT_TRUE(NewTrace(zero, Sampled::kNo).valid());
  EXPECT_TRUE(ParseTraceparent(Text(NewTrace(zero, Sampled::kYes))));
}

TEST(TraceparentTest, TheNextHopKeepsTheTraceAndItsFlags) {
  SeededRandom random(1);
  const TraceContext parent = NewTrace(random, Sampled::kYes);
  const TraceContext next = NextHop(parent, random);
  EXPECT_EQ(TraceIdText(next), TraceIdText(parent));
  EXPECT_NE(next.span, parent.span);
  EXPECT_TRUE(next.sampled);
}

std::string Members(int count, std::string_view value = "v") {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text.append("k").append(std::to_string(i)).append("=").append(value);
  }
  return text;
}

TEST(TracestateTest, WhatIsWellFormedPassesUnchanged) {
  for (const std::string& value :
       {std::string("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), std::string("a=1,,b=2"),
        std::string("a=1 ,\tb=2"), std::string("0tenant@system=x y"), std::string(), Members(32)}) {
    EXPECT_TRUE(TracestateFits(value)) << value;
  }
}

TEST(TracestateTest, WhatIsMalformedIsDropped) {
  for (const std::string& value :
       {std::string("a"), std::string("a="), std::string("=1"), std::string("A=1"),
        std::string("a b=1"), std::string("a=1=2"), std::string("a=\x7F"), std::string("a=1,a=2"),
        std::string("_a=1"), Members(33)}) {
    EXPECT_FALSE(TracestateFits(value)) << value;
    EXPECT_EQ(CleanTracestate(value), "") << value;
  }
}

TEST(TracestateTest, KeysAndValuesHave256Characters) {
  EXPECT_TRUE(TracestateFits(std::string(256, 'k') + "=v"));
  EXPECT_FALSE(TracestateFits(std::string(257, 'k') + "=v"));
  EXPECT_TRUE(TracestateFits("k=" + std::string(256, 'v')));
  EXPECT_FALSE(TracestateFits("k=" + std::string(257, 'v')));
}

TEST(TracestateTest, ALongListLosesItsLongestMembersFirst) {
  const std::string long_value(200, 'v');
  const std::string value =
      "a=" + long_value + "," + Members(20, "0123456789") + ",z=" + long_value;
  ASSERT_FALSE(TracestateFits(value));
  EXPECT_EQ(CleanTracestate(value), "a=" + long_value + "," + Members(20, "0123456789"));
}

TEST(TracestateTest, ALongListOfShortMembersLosesItsLast) {
  const std::string value = Members(32, "0123456789012345");
  const std::string clean = CleanTracestate(value);
  EXPECT_LE(clean.size(), 512);
  EXPECT_GT(clean.size(), 512 - 22);  // no more is cut than one member too many
  EXPECT_EQ(value.substr(0, clean.size()), clean);
  EXPECT_EQ(value[clean.size()], ',');
}

}  // namespace
}  // namespace hale::telemetry
