#include "hale/telemetry/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hale/telemetry/exposition.h"

namespace hale::telemetry {
namespace {

class MetricsTest : public testing::Test {
 protected:
  std::string Text() { return Expose(registry_, MetricFormat::kText); }
  // The lines that are no comments.
  std::string Samples() {
    std::string samples;
    const std::string text = Text();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at) + 1;
      if (text[at] != '#') samples += text.substr(at, end - at);
      at = end;
    }
    return samples;
  }
  Registry registry_;
};

FamilyOptions Calls() {
  return {.name = "calls_total", .help = "Calls.", .labels = {"route", "code"}};
}

TEST_F(MetricsTest, ACounterAddsUp) {
  const Counter& counter = registry_.Counters(Calls()).With({"a", "200"});
  counter.Add();
  counter.Add(41);
  EXPECT_EQ(counter.value(), 42);
}

TEST_F(MetricsTest, TheSameLabelsAreTheSameSeries) {
  CounterFamily& family = registry_.Counters(Calls());
  EXPECT_EQ(&family.With({"a", "200"}), &family.With({"a", "200"}));
  EXPECT_NE(&family.With({"a", "200"}), &family.With({"a", "500"}));
  EXPECT_EQ(family.size(), 2);
}

TEST_F(MetricsTest, WhereALabelEndsMatters) {
  CounterFamily& family = registry_.Counters(Calls());
  EXPECT_NE(&family.With({"ab", "c"}), &family.With({"a", "bc"}));
  EXPECT_NE(&family.With({"", "a"}), &family.With({"a", ""}));
}

TEST_F(MetricsTest, TheSameDescriptionIsTheSameFamily) {
  EXPECT_EQ(&registry_.Counters(Calls()), &registry_.Counters(Calls()));
  EXPECT_TRUE(registry_.rejected().empty());
}

TEST_F(MetricsTest, AContradictingDescriptionIsRejectedAndStillCounts) {
  registry_.Counters(Calls()).With({"a", "200"}).Add(1);
  CounterFamily& other = registry_.Counters({.name = "calls_total", .help = "Else."});
  other.With({}).Add(7);
  EXPECT_EQ(other.With({}).value(), 7);
  EXPECT_EQ(Samples(), "calls_total{route=\"a\",code=\"200\"} 1\n");
  EXPECT_EQ(registry_.rejected().size(), 1);
}

TEST_F(MetricsTest, ANameCannotBeTwoKinds) {
  registry_.Gauges({.name = "depth", .help = "Depth."});
  registry_.Compute({.name = "depth", .help = "Depth."}, MetricKind::kGauge, [](SampleSink&) {});
  EXPECT_EQ(registry_.rejected().size(), 1);
}

TEST_F(MetricsTest, BadNamesAreRejectedWithTheirReason) {
  for (const char* name : {"", "0a_total", "a-b_total", "a.b_total", "calls", "a_sum"}) {
    registry_.Counters({.name = name, .help = "Help."});
  }
  for (const char* label : {"__x", "0", "le", "a b", "", "ok"}) {
    registry_.Counters({.name = "x_total", .help = "Help.", .labels = {"ok", label}});
  }
  registry_.Gauges({.name = "a_total", .help = "Help."});
  registry_.Gauges({.name = "a", .help = ""});
  registry_.Histograms({.name = "took", .help = "Help."});
  EXPECT_EQ(registry_.rejected().size(), 15);
}

TEST_F(MetricsTest, BoundsThatDoNotAscendAreRejected) {
  registry_.Histograms({.name = "a_seconds", .help = "Help."}, {1s, 1s});
  registry_.Histograms({.name = "b_seconds", .help = "Help."}, {});
  EXPECT_EQ(registry_.rejected().size(), 2);
}

TEST_F(MetricsTest, TooManyLabelSetsShareOneSeries) {
  CounterFamily& family =
      registry_.Counters({.name = "x_total", .help = "X.", .labels = {"k"}, .max_series = 3});
  for (const char* value : {"a", "b", "c", "d", "e"}) family.With({value}).Add();
  EXPECT_EQ(Samples(),
            "hale_metrics_overflow_total{family=\"x_total\"} 2\n"
            "x_total{k=\"a\"} 1\nx_total{k=\"b\"} 1\nx_total{k=\"c\"} 1\nx_total{k=\"other\"} 2\n");
}

TEST_F(MetricsTest, AKnownLabelSetIsFoundWhenTheFamilyIsFull) {
  CounterFamily& family =
      registry_.Counters({.name = "x_total", .help = "X.", .labels = {"k"}, .max_series = 1});
  const Counter& known = family.With({"a"});
  family.With({"b"});
  EXPECT_EQ(&family.With({"a"}), &known);
  EXPECT_EQ(family.overflowed(), 1);
}

TEST_F(MetricsTest, TheWrongNumberOfLabelsGoesToOther) {
  registry_.Counters(Calls()).With({"a"}).Add(3);
  EXPECT_NE(Samples().find("calls_total{route=\"other\",code=\"other\"} 3\n"), std::string::npos);
}

TEST_F(MetricsTest, ALongLabelValueCountsUpTo256Bytes) {
  CounterFamily& family = registry_.Counters(Calls());
  const std::string stem(256, 'x');
  EXPECT_EQ(&family.With({stem + "a", ""}), &family.With({stem + "b", ""}));
}

TEST_F(MetricsTest, AGaugeGoesBothWays) {
  Gauge& gauge = registry_.Gauges({.name = "depth", .help = "Depth."}).With({});
  gauge.Set(2.5);
  gauge.Add(-3);
  EXPECT_EQ(gauge.value(), -0.5);
}

Histogram::Values Observe(Registry& registry, std::initializer_list<Duration> all) {
  const Histogram& histogram =
      registry.Histograms({.name = "took_seconds", .help = "Took."}, {1ms, 1s}).With({});
  for (const Duration one : all) histogram.Observe(one);
  return histogram.values();
}

TEST_F(MetricsTest, ABoundBelongsToTheBucketBelowIt) {
  const auto values = Observe(registry_, {1ms, 1ms + 1ns, 1s, 1s + 1ns});
  EXPECT_EQ(values.buckets, (std::vector<std::uint64_t>{1, 2, 1}));
}

TEST_F(MetricsTest, TheSumIsExactToTheNanosecond) {
  const auto values = Observe(registry_, {1ns, 100s, 5ms});
  EXPECT_EQ(values.sum, 100s + 5ms + 1ns);
  EXPECT_EQ(values.count, 3);
}

TEST_F(MetricsTest, ANegativeDurationCountsAsZero) {
  const auto values = Observe(registry_, {-1s});
  EXPECT_EQ(values.buckets.front(), 1);
  EXPECT_EQ(values.sum, 0s);
}

TEST_F(MetricsTest, AComputedFamilyIsAskedAtEachReading) {
  int asked = 0;
  registry_.Compute({.name = "asked", .help = "Asked.", .labels = {"by"}}, MetricKind::kGauge,
                    [&](SampleSink& sink) { sink.Sample({"me"}, ++asked); });
  EXPECT_EQ(Samples(), "asked{by=\"me\"} 1\n");
  EXPECT_EQ(Samples(), "asked{by=\"me\"} 2\n");
}

}  // namespace
}  // namespace hale::telemetry
