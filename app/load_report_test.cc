#include "app/load_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace hale::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace json = boost::json;

LoadSample Answered(int status, Duration latency) {
  LoadSample sample;
  sample.status = status;
  sample.latency = latency;
  sample.method = "GET";
  sample.path = "/";
  return sample;
}

json::value Parsed(const LoadReport& report) { return json::parse(report.Json()); }

TEST(LoadReportTest, CountsWhatFailedByStatusAndReason) {
  LoadReport report{LoadOptions{}};
  report.Record(Answered(200, 1ms));
  LoadSample refused = Answered(429, 1ms);
  refused.reason = "rate_limited";
  report.Record(refused);
  report.Finish(1s);
  const json::value parsed = Parsed(report);
  EXPECT_EQ(parsed.at("failed").as_int64(), 1);
  EXPECT_EQ(parsed.at("status").at("429").as_int64(), 1);
  EXPECT_EQ(parsed.at("reason").at("rate_limited").as_int64(), 1);
}

TEST(LoadReportTest, TellsARefusedConnectFromABrokenOne) {
  LoadReport report{LoadOptions{}};
  LoadSample sample = Answered(0, 1ms);
  sample.ended = LoadSample::Ended::kRefused;
  report.Record(sample);
  sample.ended = LoadSample::Ended::kReset;
  report.Record(sample);
  const json::value parsed = Parsed(report);
  EXPECT_EQ(parsed.at("transport").at("refused").as_int64(), 1);
  EXPECT_EQ(parsed.at("transport").at("reset").as_int64(), 1);
  EXPECT_EQ(parsed.at("ok").as_int64(), 0);
}

TEST(LoadReportTest, CallsAWrongBodyAFailureEvenWithStatus200) {
  LoadReport report{LoadOptions{}};
  LoadSample sample = Answered(200, 1ms);
  sample.ended = LoadSample::Ended::kWrongBody;
  report.Record(sample);
  EXPECT_EQ(report.failed(), 1U);
}

TEST(LoadReportTest, KeepsTheSlowestInOrder) {
  LoadOptions options;
  options.slowest = 2;
  LoadReport report{options};
  for (const int millis : {5, 900, 1, 30, 700}) {
    report.Record(Answered(200, std::chrono::milliseconds(millis)));
  }
  report.Finish(1s);
  const json::value parsed = Parsed(report);
  const json::array& slowest = parsed.at("slowest").as_array();
  ASSERT_EQ(slowest.size(), 2U);
  EXPECT_EQ(slowest[0].at("latency_ms").to_number<double>(), 900);
  EXPECT_EQ(slowest[1].at("latency_ms").to_number<double>(), 700);
}

TEST(LoadReportTest, CountsARequestInTheSecondInWhichItWasDue) {
  LoadOptions options;
  options.per_second = true;
  LoadReport report{options};
  LoadSample sample = Answered(200, 3s);  // ended in second 4
  sample.at = 1200ms;
  report.Record(sample);
  report.Finish(5s);
  const json::value parsed = Parsed(report);
  const json::array& seconds = parsed.at("seconds").as_array();
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_EQ(seconds[0].at("sent").as_int64(), 0);
  EXPECT_EQ(seconds[1].at("max_ms").to_number<double>(), 3000);
}

TEST(LoadReportTest, SaysHowLateTheGeneratorWasInASecond) {
  LoadOptions options;
  options.per_second = true;
  LoadReport report{options};
  LoadSample sample = Answered(200, 9ms);
  sample.late = 7ms;
  report.Record(sample);
  report.Record(Answered(200, 1ms));
  report.Finish(1s);
  const json::value parsed = Parsed(report);
  EXPECT_EQ(parsed.at("seconds").as_array().at(0).at("late_ms").to_number<double>(), 7);
}

TEST(LoadReportTest, ForgetsTheRequestsOfOldSecondsButNotTheirFigures) {
  LoadOptions options;
  options.per_second = true;
  options.timeout = 1s;
  LoadReport report{options};
  for (int i = 0; i < 1000; ++i) {
    LoadSample sample = Answered(200, std::chrono::milliseconds(i % 10 + 1));
    sample.at = i * 100ms;
    report.Record(sample);
  }
  report.Finish(100s);
  const json::value parsed = Parsed(report);
  const json::value& early = parsed.at("seconds").as_array().at(3);
  EXPECT_EQ(early.at("sent").as_int64(), 10);
  EXPECT_EQ(early.at("p50_ms").to_number<double>(), 5);
  EXPECT_EQ(early.at("p99_ms").to_number<double>(), 10);
}

TEST(LoadReportTest, BoundsTheReasonsThatItTellsApart) {
  LoadReport report{LoadOptions{}};
  for (int i = 0; i < 100; ++i) {
    LoadSample sample = Answered(503, 1ms);
    sample.reason = "reason" + std::to_string(i);
    report.Record(sample);
  }
  const json::value parsed = Parsed(report);
  EXPECT_EQ(parsed.at("reason").as_object().size(), 65U);
  EXPECT_EQ(parsed.at("reason").at("other").as_int64(), 36);
}

TEST(LoadReportTest, IsNotValidWhenTheGeneratorFellBehind) {
  LoadReport report{LoadOptions{}};
  for (int i = 0; i < 99; ++i) report.Record(Answered(200, 1ms));
  LoadSample late = Answered(200, 12ms);
  late.late = 11ms;
  report.Record(late);
  EXPECT_TRUE(report.valid());  // 1 of 100 is 1 %
  report.Record(late);
  EXPECT_FALSE(report.valid());
  EXPECT_THAT(report.Text(), HasSubstr("NOT VALID"));
}

TEST(LoadReportTest, IsNotValidWhenRequestsWereNotSent) {
  LoadReport report{LoadOptions{}};
  for (int i = 0; i < 1000; ++i) report.Record(Answered(200, 1ms));
  LoadSample unsent = Answered(0, 0ms);
  unsent.ended = LoadSample::Ended::kUnsent;
  report.Record(unsent);
  EXPECT_FALSE(report.valid());
}

TEST(LoadReportTest, ListsTheSlowestOnlyWhenThereIsSomethingToSee) {
  LoadReport good{LoadOptions{}};
  good.Record(Answered(200, 1ms));
  EXPECT_THAT(good.Text(), Not(HasSubstr("slowest")));
  LoadReport bad{LoadOptions{}};
  bad.Record(Answered(500, 1ms));
  EXPECT_THAT(bad.Text(), HasSubstr("slowest"));
}

}  // namespace
}  // namespace hale::app
