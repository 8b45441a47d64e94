#include "hale/telemetry/request_metrics.h"

#include <gtest/gtest.h>

#include <string>

#include "hale/telemetry/exposition.h"

namespace hale::telemetry {
namespace {

class RequestMetricsTest : public testing::Test {
 protected:
  bool Shows(const std::string& line) {
    return Expose(registry_, MetricFormat::kText).find("\n" + line + "\n") != std::string::npos;
  }
  Registry registry_;
  RequestMetrics metrics_{registry_};
};

TEST_F(RequestMetricsTest, ARequestIsCountedAndTimed) {
  metrics_.Route("/a").Count("GET", 200, Reason::kNone, 3ms);
  EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"200\"} 1"));
  EXPECT_TRUE(Shows("http_request_duration_seconds_sum{method=\"GET\",route=\"/a\"} 0.003"));
}

TEST_F(RequestMetricsTest, ErrorsAreThereBeforeTheFirst) {
  metrics_.Route("/a");
  EXPECT_TRUE(Shows("http_requests_errors_total{route=\"/a\",reason=\"upstream_status\"} 0"));
}

TEST_F(RequestMetricsTest, A5xxAndNoAnswerAreErrors) {
  metrics_.Route("/a").Count("GET", 503, Reason::kCircuitOpen, 1ms);
  metrics_.Route("/a").Count("GET", 0, Reason::kUpstreamReset, 1ms);
  EXPECT_TRUE(Shows("http_requests_errors_total{route=\"/a\",reason=\"circuit_open\"} 1"));
  EXPECT_TRUE(Shows("http_requests_errors_total{route=\"/a\",reason=\"upstream_reset\"} 1"));
  EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"none\"} 1"));
}

TEST_F(RequestMetricsTest, AnAnswerThatIsCutOffIsAnErrorUnlessTheClientWent) {
  metrics_.Route("/a").Count("GET", 200, Reason::kUpstreamReset, 1ms);
  metrics_.Route("/a").Count("GET", 200, Reason::kClientAbort, 1ms);
  EXPECT_TRUE(Shows("http_requests_errors_total{route=\"/a\",reason=\"upstream_reset\"} 1"));
  EXPECT_FALSE(Shows("http_requests_errors_total{route=\"/a\",reason=\"client_abort\"} 1"));
}

TEST_F(RequestMetricsTest, AnAnswerThatIsCutOffIsNone) {
  metrics_.Route("/a").Count("GET", 200, Reason::kUpstreamReset, 1ms);
  metrics_.Route("/a").Count("GET", 503, Reason::kUpstreamStatus, 1ms);
  metrics_.Route("/a").Count("GET", 206, Reason::kClientAbort, 1ms);
  for (const auto* code : {"none", "503", "206"}) {
    EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"" +
                      std::string(code) + "\"} 1"));
  }
}

TEST_F(RequestMetricsTest, ACallersFaultIsNoError) {
  metrics_.Route("/a").Count("GET", 429, Reason::kRateLimited, 1ms);
  EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"429\"} 1"));
  EXPECT_FALSE(Shows("http_requests_errors_total{route=\"/a\",reason=\"rate_limited\"} 1"));
}

TEST_F(RequestMetricsTest, WhatCallersInventMakesNoSeries) {
  metrics_.Route("/a").Count("BREW", 200, Reason::kNone, 1ms);
  metrics_.Route("/a").Count("get", 200, Reason::kNone, 1ms);
  metrics_.Route("/a").Count("GET", 599, Reason::kNone, 1ms);
  metrics_.Route("/a").Count("GET", 299, Reason::kNone, 1ms);
  metrics_.Route("/a").Count("GET", 99999, Reason::kNone, 1ms);
  EXPECT_TRUE(Shows("http_requests_total{method=\"_OTHER\",route=\"/a\",code=\"200\"} 2"));
  EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"5xx\"} 2"));
  EXPECT_TRUE(Shows("http_requests_total{method=\"GET\",route=\"/a\",code=\"2xx\"} 1"));
}

TEST_F(RequestMetricsTest, ARouteThatComesBackGoesOn) {
  EXPECT_EQ(&metrics_.Route("/a"), &metrics_.Route("/a"));
  EXPECT_NE(&metrics_.Route("/a"), &metrics_.Route("/b"));
}

TEST_F(RequestMetricsTest, BeyondAThousandRoutesAllShareOne) {
  for (int i = 0; i < 1000; ++i) metrics_.Route("/" + std::to_string(i));
  EXPECT_EQ(&metrics_.Route("/x"), &metrics_.Route("/y"));
  EXPECT_NE(&metrics_.Route("/7"), &metrics_.Route("/x"));
}

}  // namespace
}  // namespace hale::telemetry
