#include "hale/host/telemetry_sink.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/telemetry/exposition.h"

namespace hale::host {
namespace {

class MemorySink final : public telemetry::LogSink {
 public:
  bool Write(std::string_view lines) noexcept override {
    text += lines;
    return true;
  }
  std::string text;
};

class TelemetrySinkTest : public testing::Test {
 protected:
  void Tell(EventKind kind, Reason reason = Reason::kNone, std::string_view policy = "p") {
    Event event;
    event.kind = kind;
    event.reason = reason;
    event.policy = policy;
    event.service = "orders";
    event.instance = "a:1";
    sink_.On(event);
  }
  std::string Lines() {
    queue_.Drain();
    return std::exchange(lines_.text, {});
  }
  bool Counted(const std::string& sample) {
    return Expose(registry_, telemetry::MetricFormat::kText).find("\n" + sample + "\n") !=
           std::string::npos;
  }

  SimClock clock_;
  MemorySink lines_;
  telemetry::LogQueue queue_{lines_};
  telemetry::Log log_{queue_, clock_, "edge"};
  telemetry::Journal journal_{clock_};
  telemetry::Registry registry_;
  TelemetrySink sink_{journal_, registry_, log_};
};

TEST_F(TelemetrySinkTest, EveryEventIsJournalled) {
  for (unsigned i = 0; i < static_cast<unsigned>(EventKind::kCount); ++i) {
    Tell(static_cast<EventKind>(i));
  }
  EXPECT_EQ(journal_.Since(0).entries.size(), static_cast<std::size_t>(EventKind::kCount));
}

TEST_F(TelemetrySinkTest, DecisionsAreCountedByPolicyServiceAndReason) {
  Tell(EventKind::kRefused, Reason::kRateLimited, "rate_limiter");
  Tell(EventKind::kRefused, Reason::kRateLimited, "rate_limiter");
  EXPECT_TRUE(
      Counted("hale_policy_decisions_total{policy=\"rate_limiter\",service=\"orders\","
              "decision=\"refused\",reason=\"rate_limited\"} 2"));
}

TEST_F(TelemetrySinkTest, DocumentsAreCountedByTheirFate) {
  Tell(EventKind::kConfigApplied);
  Tell(EventKind::kConfigRejected);
  EXPECT_TRUE(Counted("hale_config_reloads_total{result=\"applied\"} 1"));
  EXPECT_TRUE(Counted("hale_config_reloads_total{result=\"rejected\"} 1"));
}

TEST_F(TelemetrySinkTest, WhatIsAboutOneCallHasNoLineOfItsOwn) {
  for (const EventKind kind : {EventKind::kRefused, EventKind::kWouldRefuse, EventKind::kRetried,
                               EventKind::kRetryDenied, EventKind::kRaced, EventKind::kHedged,
                               EventKind::kJoined, EventKind::kFellBack, EventKind::kDelayed}) {
    Tell(kind);
  }
  EXPECT_EQ(Lines(), "");
}

TEST_F(TelemetrySinkTest, AnOpenedCircuitIsAWarningInWords) {
  Tell(EventKind::kOpened, Reason::kFailureRate);
  const std::string line = Lines();
  EXPECT_NE(line.find("\"level\":\"warn\""), std::string::npos);
  EXPECT_NE(line.find("\"message\":\"circuit of orders a:1 opened: failure_rate\""),
            std::string::npos)
      << line;
}

TEST_F(TelemetrySinkTest, ARecoveryIsNoWarning) {
  Tell(EventKind::kHealthChanged, Reason::kRecovered);
  EXPECT_NE(Lines().find("\"level\":\"info\""), std::string::npos);
  Tell(EventKind::kHealthChanged, Reason::kUnhealthy);
  EXPECT_NE(Lines().find("\"level\":\"warn\""), std::string::npos);
}

TEST_F(TelemetrySinkTest, TheLevelOfTheLogHolds) {
  log_.SetLevel(telemetry::Level::kWarn);
  Tell(EventKind::kReturned);
  EXPECT_EQ(Lines(), "");
}

}  // namespace
}  // namespace hale::host
