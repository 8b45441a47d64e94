#include "hale/telemetry/self_metrics.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/telemetry/exposition.h"

namespace hale::telemetry {
namespace {

class RefusingSink final : public LogSink {
 public:
  bool Write(std::string_view) noexcept override { return false; }
};

class SelfMetricsTest : public testing::Test {
 protected:
  SelfMetricsTest() { RegisterSelfMetrics(registry_, {{"access", &queue_}}, journal_, recorder_); }
  bool Shows(const std::string& line) {
    return Expose(registry_, MetricFormat::kText).find("\n" + line + "\n") != std::string::npos;
  }
  RefusingSink sink_;
  LogQueue queue_{sink_, {.bytes = 160}};
  SimClock clock_;
  Journal journal_{clock_, 2};
  FlightRecorder recorder_;
  Registry registry_;
};

TEST_F(SelfMetricsTest, LinesAreAccountedFor) {
  queue_.Push("12345678\n");
  queue_.Push("too long\n");
  EXPECT_TRUE(Shows("hale_log_lines_queued{log=\"access\"} 1"));
  queue_.Drain();
  EXPECT_TRUE(Shows("hale_log_lines_total{log=\"access\",outcome=\"written\"} 0"));
  EXPECT_TRUE(Shows("hale_log_lines_total{log=\"access\",outcome=\"queue_full\"} 1"));
  EXPECT_TRUE(Shows("hale_log_lines_total{log=\"access\",outcome=\"write_error\"} 1"));
  EXPECT_TRUE(Shows("hale_log_lines_queued{log=\"access\"} 0"));
}

TEST_F(SelfMetricsTest, EntriesAndTheirLossAreCounted) {
  Event event;
  event.kind = EventKind::kOpened;
  for (int i = 0; i < 3; ++i) journal_.Add(event);
  EXPECT_TRUE(Shows("hale_journal_entries_total 3"));
  EXPECT_TRUE(Shows("hale_journal_overwritten_total 1"));
}

TEST_F(SelfMetricsTest, KeptRequestsAreCountedByWhy) {
  recorder_.Keep(Kept::kSlow, {}, RequestTrail{TimePoint{}}, {});
  EXPECT_TRUE(Shows("hale_requests_kept_total{kept=\"slow\"} 1"));
  EXPECT_TRUE(Shows("hale_requests_kept_total{kept=\"failed\"} 0"));
}

TEST_F(SelfMetricsTest, AllOfThemAreWellNamed) { EXPECT_TRUE(registry_.rejected().empty()); }

}  // namespace
}  // namespace hale::telemetry
