#include <benchmark/benchmark.h>

#include "hale/base/random.h"
#include "hale/telemetry/access_log.h"
#include "hale/telemetry/exposition.h"
#include "hale/telemetry/flight_recorder.h"
#include "hale/telemetry/journal.h"
#include "hale/telemetry/log.h"
#include "hale/telemetry/request_id.h"
#include "hale/telemetry/request_metrics.h"
#include "hale/telemetry/trace_context.h"

namespace hale::telemetry {
namespace {

class NullLogSink final : public LogSink {
 public:
  bool Write(std::string_view) noexcept override { return true; }
};

AccessRecord Answered() {
  AccessRecord record;
  record.time = RealClock().WallNow();
  record.request_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.trace = {.trace_high = 0x4bf92f3577b34da6, .trace_low = 0xa3ce929d0e0e4736, .span = 7};
  record.method = "GET";
  record.target = "/orders/1234567?user=42";
  record.route = "/orders/";
  record.service = "orders";
  record.instance = "127.0.0.1:9001";
  record.status = 200;
  record.bytes_out = 200;
  record.duration = 1234567ns;
  record.attempts = 1;
  record.client = "192.0.2.17";
  record.user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
  return record;
}

void BM_CounterAdd(benchmark::State& state) {
  static Registry registry;
  const Counter& counter = registry.Counters({.name = "a_total", .help = "A."}).With({});
  for (auto _ : state) counter.Add();
}
BENCHMARK(BM_CounterAdd)->ThreadRange(1, 2);

void BM_CounterWithThreeLabels(benchmark::State& state) {
  static Registry registry;
  CounterFamily& family =
      registry.Counters({.name = "b_total", .help = "B.", .labels = {"policy", "service", "r"}});
  for (auto _ : state) family.With({"circuit_breaker", "orders", "circuit_open"}).Add();
}
BENCHMARK(BM_CounterWithThreeLabels)->ThreadRange(1, 2);

void BM_HistogramObserve(benchmark::State& state) {
  static Registry registry;
  const Histogram& histogram = registry.Histograms({.name = "a_seconds", .help = "A."}).With({});
  Duration took = 1ms;
  for (auto _ : state) {
    histogram.Observe(took);
    took += 7us;
    if (took > 20s) took = 1ms;
  }
}
BENCHMARK(BM_HistogramObserve)->ThreadRange(1, 2);

void BM_RequestCount(benchmark::State& state) {
  static Registry registry;
  static RequestMetrics metrics(registry);
  RouteMetrics& route = metrics.Route("/orders/");
  for (auto _ : state) route.Count("GET", 200, Reason::kNone, 3ms);
}
BENCHMARK(BM_RequestCount)->ThreadRange(1, 2);

// With the queue drained beside it, as the writer would, without a system call.
void BM_AccessRecord(benchmark::State& state) {
  NullLogSink sink;
  LogQueue queue(sink);
  const AccessLog log(queue, "edge");
  const AccessRecord record = Answered();
  int waiting = 0;
  for (auto _ : state) {
    log.Write(record);
    if (++waiting == 64) {
      queue.Drain();
      waiting = 0;
    }
  }
  if (queue.stats().dropped_full > 0) state.SkipWithError("lines were dropped");
}
BENCHMARK(BM_AccessRecord);

void BM_QueuePush(benchmark::State& state) {
  NullLogSink sink;
  LogQueue queue(sink);
  const std::string line = std::string(400, 'x') + "\n";
  int waiting = 0;
  for (auto _ : state) {
    queue.Push(line);
    if (++waiting == 64) {
      queue.Drain();
      waiting = 0;
    }
  }
  if (queue.stats().dropped_full > 0) state.SkipWithError("lines were dropped");
}
BENCHMARK(BM_QueuePush);

void BM_LogLineOfFourFields(benchmark::State& state) {
  NullLogSink sink;
  LogQueue queue(sink);
  const Log log(queue, RealClock(), "orders");
  const TraceContext trace{.trace_high = 1, .trace_low = 2, .span = 3};
  int waiting = 0;
  for (auto _ : state) {
    log.With(trace).Warn("charge failed", {{"reason", Reason::kCircuitOpen},
                                           {"order_id", 1234567},
                                           {"waited", 300ms},
                                           {"user", "ann"}});
    if (++waiting == 64) {
      queue.Drain();
      waiting = 0;
    }
  }
}
BENCHMARK(BM_LogLineOfFourFields);

void BM_LogBelowTheLevel(benchmark::State& state) {
  NullLogSink sink;
  LogQueue queue(sink);
  const Log log(queue, RealClock(), "orders");
  for (auto _ : state) log.Debug("nothing", {{"order_id", 1234567}});
}
BENCHMARK(BM_LogBelowTheLevel);

void BM_TraceparentReadAndWrite(benchmark::State& state) {
  SeededRandom random(1);
  for (auto _ : state) {
    auto context = ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    benchmark::DoNotOptimize(Traceparent(NextHop(*context, random)));
  }
}
BENCHMARK(BM_TraceparentReadAndWrite);

void BM_NewIds(benchmark::State& state) {
  SeededRandom random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(NewRequestId(random));
    benchmark::DoNotOptimize(Traceparent(NewTrace(random, Sampled::kYes)));
  }
}
BENCHMARK(BM_NewIds);

void BM_ClassifyAPlainRequest(benchmark::State& state) {
  const FlightRecorder recorder;
  const AccessRecord record = Answered();
  for (auto _ : state) {
    const RequestTrail trail{TimePoint{}};
    benchmark::DoNotOptimize(recorder.Classify(record, trail));
  }
}
BENCHMARK(BM_ClassifyAPlainRequest);

void BM_KeepARequest(benchmark::State& state) {
  FlightRecorder recorder;
  const AccessRecord record = Answered();
  RequestTrail trail{TimePoint{}};
  Event event;
  event.kind = EventKind::kRetried;
  trail.Add(event);
  trail.Add(event);
  const std::array<HeaderView, 3> headers = {
      {{"host", "example.org"}, {"authorization", "Bearer x"}, {"accept", "*/*"}}};
  for (auto _ : state) recorder.Keep(Kept::kRecovered, record, trail, headers);
}
BENCHMARK(BM_KeepARequest);

void BM_JournalFlood(benchmark::State& state) {
  static Journal journal(RealClock());
  Event event;
  event.reason = Reason::kRateLimited;
  event.policy = "rate_limiter";
  event.service = "orders";
  for (auto _ : state) journal.Add(event);
}
BENCHMARK(BM_JournalFlood)->ThreadRange(1, 2);

void BM_ExposeTenThousandSeries(benchmark::State& state) {
  Registry registry;
  CounterFamily& family = registry.Counters(
      {.name = "a_total", .help = "A.", .labels = {"route"}, .max_series = 10'000});
  for (int i = 0; i < 10'000; ++i) family.With({"/route/" + std::to_string(i)}).Add();
  for (auto _ : state) benchmark::DoNotOptimize(Expose(registry, MetricFormat::kText));
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(BM_ExposeTenThousandSeries);

}  // namespace
}  // namespace hale::telemetry
