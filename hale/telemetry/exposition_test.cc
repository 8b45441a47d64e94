#include "hale/telemetry/exposition.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <limits>
#include <string>

namespace hale::telemetry {
namespace {

class ExpositionTest : public testing::Test {
 protected:
  std::string Text() { return Expose(registry_, MetricFormat::kText); }
  std::string Open() { return Expose(registry_, MetricFormat::kOpenMetrics); }
  std::string ValueOf(double value) {
    registry_.Gauges({.name = "v", .help = "V."}).With({}).Set(value);
    const std::string text = Text();
    const std::size_t at = text.find("\nv ") + 3;
    return text.substr(at, text.size() - at - 1);
  }
  Registry registry_;
};

TEST_F(ExpositionTest, ANewRegistryHasNothingToSay) {
  EXPECT_EQ(Text(), "");
  EXPECT_EQ(Open(), "# EOF\n");
}

TEST_F(ExpositionTest, AFamilyWithoutSeriesIsLeftOut) {
  registry_.Counters({.name = "a_total", .help = "A.", .labels = {"k"}});
  EXPECT_EQ(Text(), "");
}

TEST_F(ExpositionTest, ACounterInText) {
  registry_.Counters({.name = "a_total", .help = "A.", .labels = {"k"}}).With({"v"}).Add(3);
  EXPECT_EQ(Text(), "# HELP a_total A.\n# TYPE a_total counter\na_total{k=\"v\"} 3\n");
}

TEST_F(ExpositionTest, ACounterInOpenMetricsIsTypedWithoutItsSuffix) {
  registry_.Counters({.name = "a_total", .help = "A.", .labels = {"k"}}).With({"v"}).Add(3);
  EXPECT_EQ(Open(), "# TYPE a counter\n# HELP a A.\na_total{k=\"v\"} 3\n# EOF\n");
}

TEST_F(ExpositionTest, AHistogramIsCumulativeAndEndsInInfinity) {
  const Histogram& took =
      registry_.Histograms({.name = "t_seconds", .help = "T.", .labels = {"k"}}, {5ms, 1s})
          .With({"v"});
  for (const Duration one : {Duration(1ms), Duration(2ms), Duration(500ms), Duration(2s)}) {
    took.Observe(one);
  }
  EXPECT_EQ(Text(),
            "# HELP t_seconds T.\n# TYPE t_seconds histogram\n"
            "t_seconds_bucket{k=\"v\",le=\"0.005\"} 2\n"
            "t_seconds_bucket{k=\"v\",le=\"1.0\"} 3\n"
            "t_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n"
            "t_seconds_sum{k=\"v\"} 2.503\n"
            "t_seconds_count{k=\"v\"} 4\n");
}

TEST_F(ExpositionTest, OpenMetricsNamesTheUnit) {
  registry_.Histograms({.name = "t_seconds", .help = "T."}, {1s}).With({});
  EXPECT_EQ(Open(),
            "# TYPE t_seconds histogram\n# UNIT t_seconds seconds\n# HELP t_seconds T.\n"
            "t_seconds_bucket{le=\"1.0\"} 0\nt_seconds_bucket{le=\"+Inf\"} 0\n"
            "t_seconds_sum 0\nt_seconds_count 0\n# EOF\n");
}

TEST_F(ExpositionTest, HelpCannotInjectALine) {
  registry_.Gauges({.name = "g", .help = "a\nb 42 \\ \"q\""}).With({}).Set(1);
  EXPECT_EQ(Text(), "# HELP g a\\nb 42 \\\\ \"q\"\n# TYPE g gauge\ng 1\n");
  EXPECT_EQ(Open(), "# TYPE g gauge\n# HELP g a\\nb 42 \\\\ \\\"q\\\"\ng 1\n# EOF\n");
}

TEST_F(ExpositionTest, LabelValuesAreEscaped) {
  registry_.Gauges({.name = "g", .help = "G.", .labels = {"k"}})
      .With({"\\ \" \n é 😀 \xFF \r"})
      .Set(1);
  EXPECT_NE(Text().find("g{k=\"\\\\ \\\" \\n é 😀 \uFFFD \uFFFD\"} 1\n"), std::string::npos);
}

TEST_F(ExpositionTest, NumbersComeBackBitByBit) {
  for (const double value : {0.1 + 0.2, 1e17 + 1, 5e-324, -0.0, 1.0 / 3}) {
    const double back = std::strtod(ValueOf(value).c_str(), nullptr);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value));
  }
}

TEST_F(ExpositionTest, WhatIsNoNumberIsSpelledAsGoDoes) {
  EXPECT_EQ(ValueOf(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(ValueOf(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(ValueOf(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(NegotiateFormatTest, RealScrapersGetWhatTheyPrefer) {
  EXPECT_EQ(NegotiateFormat("application/openmetrics-text;version=1.0.0,"
                            "application/openmetrics-text;version=0.0.1;q=0.75,"
                            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            MetricFormat::kOpenMetrics);
  EXPECT_EQ(NegotiateFormat("text/plain;version=0.0.4;q=1,*/*;q=0.1"), MetricFormat::kText);
  EXPECT_EQ(NegotiateFormat("*/*"), MetricFormat::kText);
}

TEST(NegotiateFormatTest, WhatIsNotUnderstoodGetsText) {
  for (const char* accept : {"", "garbage", ";;;", ",,", "application/openmetrics-text;version=2",
                             "application/openmetrics-text;q=0", "text/html"}) {
    EXPECT_EQ(NegotiateFormat(accept), MetricFormat::kText) << accept;
  }
}

TEST(NegotiateFormatTest, AWeightDecides) {
  EXPECT_EQ(NegotiateFormat("application/openmetrics-text; q=0.4, text/plain; q=0.5"),
            MetricFormat::kText);
  EXPECT_EQ(NegotiateFormat("Text/Plain; Q=0.3 , Application/OpenMetrics-Text ; q=0.4"),
            MetricFormat::kOpenMetrics);
}

}  // namespace
}  // namespace hale::telemetry
