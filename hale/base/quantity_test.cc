#include "hale/base/quantity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace hale {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

TEST(DurationTest, ReadsEveryUnit) {
  EXPECT_EQ(*ParseDuration("3ns"), Duration(3));
  EXPECT_EQ(*ParseDuration("3us"), 3us);
  EXPECT_EQ(*ParseDuration("250ms"), 250ms);
  EXPECT_EQ(*ParseDuration("2s"), 2s);
  EXPECT_EQ(*ParseDuration("5min"), 5min);
  EXPECT_EQ(*ParseDuration("5m"), 5min);
  EXPECT_EQ(*ParseDuration("1h"), 1h);
  EXPECT_EQ(*ParseDuration("0"), 0s);
}

TEST(DurationTest, ReadsFractionsExactly) {
  EXPECT_EQ(*ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(*ParseDuration("0.1s"), 100ms);
  EXPECT_EQ(*ParseDuration("0.000000001s"), 1ns);
  EXPECT_EQ(*ParseDuration("2.25h"), 135min);
}

TEST(DurationTest, RefusesWhatIsFinerThanANanosecond) {
  EXPECT_FALSE(ParseDuration("0.5ns"));
  EXPECT_FALSE(ParseDuration("0.0000000001s"));
  EXPECT_EQ(ParseDuration("1.5ns").error().message,
            "'1.5ns' is not a whole number of nanoseconds below 292 years");
}

TEST(DurationTest, TakesTheLargestAndRefusesOneMore) {
  EXPECT_EQ(*ParseDuration("9223372036854775807ns"), Duration::max());
  EXPECT_FALSE(ParseDuration("9223372036854775808ns"));
  EXPECT_EQ(*ParseDuration("2562047h"), 2562047h);
  EXPECT_FALSE(ParseDuration("2562048h"));
  EXPECT_FALSE(ParseDuration("18446744073709551617ns"));  // 2^64 + 1 must not wrap to 1
  EXPECT_FALSE(ParseDuration("99999999999999999999999999h"));
}

TEST(DurationTest, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"",    "s",   "5",      "-5s",  "+5s",  "5 s", " 5s", "5s ",  "5S", "5sec",
        ".5s", "5.s", "1.2.3s", "1e3s", "0x5s", "5ss", "nan", "1,5s", "00", "5s\n"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(DurationTest, SaysWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(ParseDuration("5 apples").error().message,
            "'5 apples' is not a duration such as 250ms, 2s, 1.5s, 5min or 1h");
}

TEST(DurationTest, PrintsInTheLargestUnitThatIsWhole) {
  EXPECT_EQ(Print(Duration(90s)), "90s");
  EXPECT_EQ(Print(Duration(120s)), "2min");
  EXPECT_EQ(Print(Duration(1500ms)), "1500ms");
  EXPECT_EQ(Print(Duration(0)), "0s");
  EXPECT_EQ(Print(Duration(-1500ms)), "-1500ms");
  EXPECT_EQ(Print(Duration::min()), "-9223372036854775808ns");
}

TEST(RateTest, ReadsPermitsAndSpan) {
  EXPECT_EQ(*ParseRate("100/s"), (Rate{100, 1s}));
  EXPECT_EQ(*ParseRate("6000/min"), (Rate{6000, 1min}));
  EXPECT_EQ(*ParseRate("1/5s"), (Rate{1, 5s}));
  EXPECT_EQ(*ParseRate("7/1.5s"), (Rate{7, 1500ms}));
}

TEST(RateTest, ReadsFractionsAsWholePermitsInALongerTime) {
  EXPECT_EQ(*ParseRate("0.2/s"), (Rate{2, 10s}));
  EXPECT_EQ(*ParseRate("1.25/min"), (Rate{125, 100min}));
  EXPECT_DOUBLE_EQ(ParseRate("0.2/s")->PerSecond(), 0.2);
}

TEST(RateTest, RefusesWhatIsNoRate) {
  for (const char* text : {"", "100", "100/", "/s", "100/x", "100/0s", "100/0", "-1/s", "1/-1s",
                           "1//s", "1/s/s", "1 /s", "1/ s", "100/.5s", "100/1", "1e2/s"}) {
    EXPECT_FALSE(ParseRate(text)) << text;
  }
}

TEST(RateTest, RefusesOverflow) {
  EXPECT_EQ(ParseRate("9223372036854775807/s")->permits, static_cast<std::uint64_t>(kMost));
  EXPECT_FALSE(ParseRate("9223372036854775808/s"));
  // A tenth of a permit in the longest time would need a span ten times as long.
  EXPECT_FALSE(ParseRate("0.1/9223372036854775807ns"));
}

TEST(RateTest, PrintsAsItIsWritten) {
  EXPECT_EQ(Print(Rate{100, 1s}), "100/s");
  EXPECT_EQ(Print(Rate{2, 10s}), "2/10s");
  EXPECT_EQ(Print(Rate{1, 100ms}), "1/100ms");
  EXPECT_EQ(Print(Rate{6000, 1min}), "6000/min");
}

TEST(SizeTest, ReadsPowersOfTwoAndOfTen) {
  EXPECT_EQ(ParseSize("32KiB")->bytes, 32U * 1024);
  EXPECT_EQ(ParseSize("1MiB")->bytes, 1U << 20);
  EXPECT_EQ(ParseSize("2GiB")->bytes, 2ULL << 30);
  EXPECT_EQ(ParseSize("32kB")->bytes, 32'000U);
  EXPECT_EQ(ParseSize("10MB")->bytes, 10'000'000U);
  EXPECT_EQ(ParseSize("500")->bytes, 500U);
  EXPECT_EQ(ParseSize("0B")->bytes, 0U);
}

TEST(SizeTest, ReadsFractionsThatAreWholeBytes) {
  EXPECT_EQ(ParseSize("1.5KiB")->bytes, 1536U);
  EXPECT_FALSE(ParseSize("0.1KiB"));
  EXPECT_FALSE(ParseSize("1.5B"));
}

TEST(SizeTest, RefusesOverflowAndNonsense) {
  EXPECT_EQ(ParseSize("9223372036854775807B")->bytes, static_cast<std::uint64_t>(kMost));
  EXPECT_FALSE(ParseSize("9223372036854775808B"));
  EXPECT_FALSE(ParseSize("9007199254740992KiB"));   // 2^63
  EXPECT_FALSE(ParseSize("18014398509481985KiB"));  // 2^64 + 1024 must not wrap
  for (const char* text : {"", "KiB", "-1B", "1 KiB", "1kb", "1Kib", "1TiB", "0x10B"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(ShareTest, ReadsNumbersAndPercent) {
  EXPECT_EQ(*ParseShare("0.5"), 0.5);
  EXPECT_EQ(*ParseShare("50%"), 0.5);
  EXPECT_EQ(*ParseShare("-2"), -2.0);
  EXPECT_EQ(*ParseShare("1e-05"), 1e-05);
}

TEST(ShareTest, PercentIsRoundedOnce) {
  // 0.7 / 100 is not the double nearest to 0.007, nor 33.3 / 100 that nearest to 0.333.
  for (const char* digits : {"0.7", "0.58", "7", "33.3", "99.9", "0.07"}) {
    const double want = std::stod(std::string(digits) + "e-2");
    EXPECT_EQ(*ParseShare(std::string(digits) + "%"), want) << digits;
  }
}

TEST(ShareTest, RefusesWhatIsNoFiniteNumber) {
  for (const char* text : {"", "%", "inf", "nan", "-inf", "1e999", "0.5x", "50%%", " 1", "1 ", "+1",
                           "1e2%", "0x1p3", "1,5", "fifty"}) {
    EXPECT_FALSE(ParseShare(text)) << text;
  }
  EXPECT_FALSE(ParseShare(std::string(1000, '1')));
}

// What is printed parses to the same value: over all magnitudes, and at the ends of each unit.
class RoundTripTest : public ::testing::Test {
 protected:
  std::vector<std::uint64_t> Values() {
    std::vector<std::uint64_t> values = {0, 1, 999, 1000, 1001, 1023, 1024, 1025};
    for (const std::uint64_t unit : {1'000'000ULL, 1'000'000'000ULL, 60'000'000'000ULL,
                                     3'600'000'000'000ULL, 1ULL << 20, 1ULL << 30}) {
      for (const std::uint64_t n : {1ULL, 7ULL, 60ULL, 1000ULL}) {
        values.insert(values.end(), {n * unit - 1, n * unit, n * unit + 1});
      }
    }
    for (int i = 0; i < 20'000; ++i) values.push_back(random_() >> (1 + random_() % 63));
    values.push_back(static_cast<std::uint64_t>(kMost));
    return values;
  }
  std::mt19937_64 random_{42};
};

TEST_F(RoundTripTest, OfDurations) {
  for (const std::uint64_t value : Values()) {
    const Duration span(static_cast<std::int64_t>(value));
    ASSERT_EQ(ParseDuration(Print(span)).value_or(Duration::min()), span) << Print(span);
  }
}

TEST_F(RoundTripTest, OfSizes) {
  for (const std::uint64_t value : Values()) {
    ASSERT_EQ(ParseSize(Print(Size{value})).value_or(Size{~0ULL}), Size{value});
  }
}

TEST_F(RoundTripTest, OfRates) {
  for (const std::uint64_t value : Values()) {
    const Rate rate{value, Duration(static_cast<std::int64_t>(1 + (random_() >> 1) % 1'000'000))};
    ASSERT_EQ(ParseRate(Print(rate)).value_or(Rate{}), rate) << Print(rate);
    const Rate slow{7, Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(value)))};
    ASSERT_EQ(ParseRate(Print(slow)).value_or(Rate{}), slow) << Print(slow);
  }
}

TEST_F(RoundTripTest, OfShares) {
  for (int i = 0; i < 20'000; ++i) {
    const double share =
        std::ldexp(static_cast<double>(random_()), static_cast<int>(random_() % 64) - 96);
    ASSERT_EQ(ParseShare(PrintShare(share)).value_or(-1), share) << PrintShare(share);
  }
}

TEST(QuantityTest, PrintsFiguresForSentencesInFourDigits) {
  EXPECT_EQ(PrintFigure(1.0 / 3), "0.3333");
  EXPECT_EQ(PrintFigure(20), "20");
  EXPECT_EQ(PrintPercent(0.125), "12.5%");
  EXPECT_EQ(PrintPercent(1 / 1.1), "90.91%");
}

}  // namespace
}  // namespace hale
