#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/base/time.h"
#include "hale/telemetry/metric_cells.h"

namespace hale::telemetry {

/// A number that only grows. Thread-safe.
class Counter {
 public:
  explicit Counter(CellPool& pool) : cell_(pool.Make(1)) {}
  void Add(std::uint64_t by = 1) const { cell_.Add(by); }
  std::uint64_t value() const { return cell_.Sum(); }

 private:
  Cell cell_;
};

/// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  explicit Gauge(CellPool&) {}
  void Set(double to) { value_.store(to, std::memory_order_relaxed); }
  void Add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How long things took: counts between fixed bounds, and the exact sum. Thread-safe.
class Histogram {
 public:
  /// Bounds ascend; they outlive me.
  Histogram(CellPool& pool, const std::vector<Duration>& bounds)
      : bounds_(&bounds), cells_(pool.Make(bounds.size() + 2)) {}
  /// A bound belongs to the bucket below it, as Prometheus's `le` says. Below zero counts as zero.
  void Observe(Duration took) const;

  struct Values {
    std::vector<std::uint64_t> buckets;  ///< one a bound and one above all; not cumulative
    std::uint64_t count = 0;             ///< their sum, so that it equals the +Inf bucket always
    Duration sum{0};
  };
  Values values() const;

 private:
  const std::vector<Duration>* bounds_;
  Cell cells_;  // the buckets, then nanoseconds
};

/// What a family is called and what tells its series apart.
struct FamilyOptions {
  std::string name;  ///< a counter's ends in `_total`, a histogram's in `_seconds`
  std::string help;
  std::vector<std::string> labels = {};
  std::size_t max_series = 1000;  ///< beyond it new label sets share one series, all labels `other`
};

enum class MetricKind : std::uint8_t { kCounter, kGauge, kHistogram };

/// Label values of one series, in the order of the family's label names.
using LabelValues = std::span<const std::string_view>;

class FamilyBase;

/// Is shown all series of a registry, one family after the other, by one thread. Not thread-safe.
class SeriesVisitor {
 public:
  virtual ~SeriesVisitor() = default;
  virtual void OnFamily(const FamilyBase& family) = 0;
  /// `labels` is `a="x",b="y"`, escaped for exposition; empty if the family has none.
  virtual void OnCount(std::string_view labels, std::uint64_t value) = 0;
  virtual void OnValue(std::string_view labels, double value) = 0;
  virtual void OnHistogram(std::string_view labels, const Histogram::Values& values,
                           const std::vector<Duration>& bounds) = 0;
};

/// What all families share: what they are called. Thread-safe.
class FamilyBase {
 public:
  FamilyBase(FamilyOptions options, MetricKind kind) : options_(std::move(options)), kind_(kind) {}
  FamilyBase(const FamilyBase&) = delete;
  FamilyBase& operator=(const FamilyBase&) = delete;
  virtual ~FamilyBase() = default;
  /// Shows its series, in the order of their making.
  virtual void Visit(SeriesVisitor& visitor) const = 0;
  /// Would the other do as well as me?
  virtual bool SameAs(const FamilyBase& other) const = 0;
  const FamilyOptions& options() const { return options_; }
  MetricKind kind() const { return kind_; }
  /// Look-ups of label sets that were folded into `other`.
  std::uint64_t overflowed() const { return overflowed_.load(std::memory_order_relaxed); }

 protected:
  std::atomic<std::uint64_t> overflowed_{0};

 private:
  const FamilyOptions options_;
  const MetricKind kind_;
};

/// All series of one name. `With` finds a series, or makes it, and its reference stays good as long
/// as the registry: resolve it once and keep it. Finding takes no lock and does not allocate.
/// Thread-safe.
template <class Metric>
class Family final : public FamilyBase {
 public:
  /// Made by the registry.
  Family(FamilyOptions options, MetricKind kind, std::vector<Duration> bounds = {});

  /// Values of another number than the names give the `other` series, as too many sets do. A value
  /// counts up to its first 256 bytes.
  Metric& With(LabelValues values);
  Metric& With(std::initializer_list<std::string_view> values) {
    return With(LabelValues(values.begin(), values.size()));
  }
  void Visit(SeriesVisitor& visitor) const override;
  bool SameAs(const FamilyBase& other) const override;
  std::size_t size() const {
    return state_.With([](const State& state) { return state.series.size(); });
  }

 private:
  struct State;
  struct Series {
    Series(std::size_t h, std::vector<std::string> v, std::string text, State& state,
           const std::vector<Duration>& bounds);
    const std::size_t hash;
    const std::vector<std::string> values;
    const std::string labels;
    Metric metric;
  };
  struct State {
    CellPool pool;
    std::deque<Series> series;  // never moves what it holds
  };
  Series* Find(std::size_t hash, LabelValues values) const;
  Metric& Make(std::size_t hash, LabelValues values);

  const std::vector<Duration> bounds_;
  // Open addressing at most half full; a slot is written once, so reading needs no lock.
  std::vector<std::atomic<Series*>> slots_;
  Guarded<State> state_;
};

using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

/// Bounds for requests: those of OpenTelemetry's semantic conventions for HTTP (5 ms to 10 s), and
/// 1 ms and 2.5 ms before them, since C++ services live there.
std::vector<Duration> RequestBounds();

/// Takes the samples of a family that is worked out only when somebody reads. Not thread-safe.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void Sample(LabelValues values, double value) = 0;
  void Sample(std::initializer_list<std::string_view> values, double value) {
    Sample(LabelValues(values.begin(), values.size()), value);
  }
};
using Computed = std::function<void(SampleSink&)>;

/// All metrics of a process. Asking again for a family of the same description gives the same one.
/// A family whose description is wrong, or contradicts one that exists, works but is never shown;
/// `rejected()` says why. Thread-safe.
class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  CounterFamily& Counters(FamilyOptions options);
  GaugeFamily& Gauges(FamilyOptions options);
  HistogramFamily& Histograms(FamilyOptions options,
                              std::vector<Duration> bounds = RequestBounds());
  /// A counter or gauge whose values exist elsewhere: `compute` is called at each reading, by the
  /// reader's thread, with no lock held.
  void Compute(FamilyOptions options, MetricKind kind, Computed compute);

  /// Why families were turned away: `name: what is wrong`.
  std::vector<std::string> rejected() const;
  /// Shows all families in the order of their making, also those without a series.
  void Visit(SeriesVisitor& visitor) const;

 private:
  struct State {
    std::vector<std::unique_ptr<FamilyBase>> families;
    std::vector<std::unique_ptr<FamilyBase>> hidden;  // rejected, but somebody counts in them
    std::vector<std::string> rejected;
  };
  template <class Made>
  Made& Register(std::unique_ptr<Made> made, std::string fault);
  std::vector<const FamilyBase*> Families() const;

  Guarded<State> state_;
};

extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Histogram>;

}  // namespace hale::telemetry
