#include "hale/telemetry/metrics.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "hale/telemetry/label_text.h"
#include "hale/telemetry/utf8.h"

namespace hale::telemetry {
namespace {

constexpr std::string_view kOther = "other";

// FNV-1a over eight bytes at a time, each value ended by its length so that {ab, c} is not {a, bc}.
std::size_t Hash(LabelValues values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 32;
  };
  for (std::string_view value : values) {
    value = CutUtf8(value, kMaxLabelValue);
    mix(value.size());
    while (value.size() >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, value.data(), 8);
      mix(word);
      value.remove_prefix(8);
    }
    std::uint64_t rest = 0;
    if (!value.empty()) std::memcpy(&rest, value.data(), value.size());
    mix(rest);
  }
  return hash;
}

std::size_t SlotCount(std::size_t max_series) {
  std::size_t slots = 16;
  while (slots < 2 * (max_series + 1)) slots *= 2;  // + the `other` series
  return slots;
}

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsName(std::string_view name) {
  if (name.empty() || !IsNameStart(name.front())) return false;
  return std::ranges::all_of(name, [](char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); });
}

// What is wrong with a description; empty if nothing is.
std::string Fault(const FamilyOptions& options, MetricKind kind) {
  if (!IsName(options.name)) return "a name is letters, digits and _, and begins with no digit";
  if (options.help.empty()) return "help is missing";
  if (kind == MetricKind::kCounter && !options.name.ends_with("_total")) {
    return "a counter's name ends in _total";
  }
  if (kind != MetricKind::kCounter && options.name.ends_with("_total")) {
    return "only a counter's name ends in _total";
  }
  if (kind == MetricKind::kHistogram && !options.name.ends_with("_seconds")) {
    return "a histogram's name ends in _seconds";
  }
  for (const char* suffix : {"_bucket", "_sum", "_count", "_created", "_info"}) {
    // They would read as a part of another family.
    if (options.name.ends_with(suffix)) return std::string("a name does not end in ") + suffix;
  }
  for (std::size_t i = 0; i < options.labels.size(); ++i) {
    const std::string& label = options.labels[i];
    if (!IsName(label) || label.starts_with("__")) return "label " + label + ": not a label's name";
    if (label == "le") return "label le: Prometheus uses it for itself";
    const auto before = options.labels.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(options.labels.begin(), before, label) != before) {
      return "label " + label + ": named twice";
    }
  }
  return {};
}

constexpr std::size_t kMaxBounds = 100;

// A family whose values are asked for when they are read.
class ComputedFamily final : public FamilyBase {
 public:
  ComputedFamily(FamilyOptions options, MetricKind kind, Computed compute)
      : FamilyBase(std::move(options), kind), compute_(std::move(compute)) {}
  void Visit(SeriesVisitor& visitor) const override {
    Sink sink(*this, visitor);
    compute_(sink);
  }
  // Two functions cannot be compared: each is another family.
  bool SameAs(const FamilyBase&) const override { return false; }

 private:
  class Sink final : public SampleSink {
   public:
    Sink(const ComputedFamily& family, SeriesVisitor& visitor)
        : family_(family), visitor_(visitor) {}
    using SampleSink::Sample;
    void Sample(LabelValues values, double value) override {
      visitor_.OnValue(LabelText(family_.options().labels, values), value);
    }

   private:
    const ComputedFamily& family_;
    SeriesVisitor& visitor_;
  };
  const Computed compute_;
};

}  // namespace

void Histogram::Observe(Duration took) const {
  took = std::max(took, Duration::zero());
  const auto bound = std::lower_bound(bounds_->begin(), bounds_->end(), took);
  cells_[static_cast<std::size_t>(bound - bounds_->begin())].Add(1);
  cells_[bounds_->size() + 1].Add(static_cast<std::uint64_t>(took.count()));
}

Histogram::Values Histogram::values() const {
  Values values;
  values.buckets.reserve(bounds_->size() + 1);
  for (std::size_t i = 0; i <= bounds_->size(); ++i) {
    values.buckets.push_back(cells_[i].Sum());
    values.count += values.buckets.back();
  }
  values.sum = Duration(static_cast<std::int64_t>(cells_[bounds_->size() + 1].Sum()));
  return values;
}

template <class Metric>
Family<Metric>::Family(FamilyOptions options, MetricKind kind, std::vector<Duration> bounds)
    : FamilyBase(std::move(options), kind),
      bounds_(std::move(bounds)),
      slots_(SlotCount(FamilyBase::options().max_series)) {}

template <class Metric>
auto Family<Metric>::Find(std::size_t hash, LabelValues values) const -> Series* {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    // Acquire: the series was made before its slot was set.
    Series* series = slots_[at].load(std::memory_order_acquire);
    if (series == nullptr) return nullptr;
    if (series->hash != hash) continue;
    const auto same = [](std::string_view a, std::string_view b) {
      return CutUtf8(a, kMaxLabelValue) == b;
    };
    if (std::ranges::equal(values, series->values, same)) return series;
  }
}

template <class Metric>
Metric& Family<Metric>::With(LabelValues values) {
  if (values.size() == options().labels.size()) {
    const std::size_t hash = Hash(values);
    if (Series* series = Find(hash, values)) return series->metric;
    return Make(hash, values);
  }
  overflowed_.fetch_add(1, std::memory_order_relaxed);
  const std::vector<std::string_view> other(options().labels.size(), kOther);
  const std::size_t hash = Hash(other);
  if (Series* series = Find(hash, other)) return series->metric;
  return Make(hash, other);
}

template <class Metric>
Family<Metric>::Series::Series(std::size_t h, std::vector<std::string> v, std::string text,
                               State& state, const std::vector<Duration>& bounds)
    : hash(h), values(std::move(v)), labels(std::move(text)), metric([&] {
        if constexpr (std::is_same_v<Metric, Histogram>) {
          return Metric(state.pool, bounds);
        } else {
          return Metric(state.pool);
        }
      }()) {}

template <class Metric>
Metric& Family<Metric>::Make(std::size_t hash, LabelValues values) {
  const auto state = state_.Lock();
  if (Series* series = Find(hash, values)) return series->metric;  // another thread was first
  const std::vector<std::string_view> other(options().labels.size(), kOther);
  if (state->series.size() >= options().max_series && !std::ranges::equal(values, other)) {
    overflowed_.fetch_add(1, std::memory_order_relaxed);
    values = other;
    hash = Hash(other);
    if (Series* series = Find(hash, values)) return series->metric;
  }
  std::vector<std::string> owned;
  for (const std::string_view value : values) owned.emplace_back(CutUtf8(value, kMaxLabelValue));
  std::string labels = LabelText(options().labels, values);
  Series& series =
      state->series.emplace_back(hash, std::move(owned), std::move(labels), *state, bounds_);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].load(std::memory_order_relaxed) != nullptr) at = (at + 1) & mask;
  // Release: publishes the series to Find.
  slots_[at].store(&series, std::memory_order_release);
  return series.metric;
}

template <class Metric>
void Family<Metric>::Visit(SeriesVisitor& visitor) const {
  // Series are only ever added: these stay good when the lock is gone.
  const auto series = state_.With([](const State& state) {
    std::vector<const Series*> all;
    all.reserve(state.series.size());
    for (const Series& one : state.series) all.push_back(&one);
    return all;
  });
  for (const Series* one : series) {
    if constexpr (std::is_same_v<Metric, Counter>) {
      visitor.OnCount(one->labels, one->metric.value());
    } else if constexpr (std::is_same_v<Metric, Gauge>) {
      visitor.OnValue(one->labels, one->metric.value());
    } else {
      visitor.OnHistogram(one->labels, one->metric.values(), bounds_);
    }
  }
}

template <class Metric>
bool Family<Metric>::SameAs(const FamilyBase& other) const {
  const auto* const same = dynamic_cast<const Family*>(&other);
  return same != nullptr && options().name == other.options().name &&
         options().help == other.options().help && options().labels == other.options().labels &&
         bounds_ == same->bounds_;
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

std::vector<Duration> RequestBounds() {
  return {1ms,   2500us, 5ms,   10ms, 25ms,   50ms, 75ms,   100ms,
          250ms, 500ms,  750ms, 1s,   2500ms, 5s,   7500ms, 10s};
}

Registry::Registry() {
  Compute({.name = "hale_metrics_overflow_total",
           .help = "Look-ups of label sets that were folded into the series `other`, by family.",
           .labels = {"family"}},
          MetricKind::kCounter, [this](SampleSink& sink) {
            for (const FamilyBase* family : Families()) {
              if (family->overflowed() == 0) continue;
              sink.Sample({family->options().name}, static_cast<double>(family->overflowed()));
            }
          });
}

template <class Made>
Made& Registry::Register(std::unique_ptr<Made> made, std::string fault) {
  const auto state = state_.Lock();
  const FamilyOptions& options = made->options();
  const auto known = std::ranges::find_if(
      state->families, [&](const auto& one) { return one->options().name == options.name; });
  if (fault.empty() && known != state->families.end()) {
    auto* const same = dynamic_cast<Made*>(known->get());
    if (same != nullptr && same->SameAs(*made)) return *same;
    fault = "it exists already with another description";
  }
  Made& result = *made;
  if (fault.empty()) {
    state->families.push_back(std::move(made));
  } else {
    state->rejected.push_back(options.name + ": " + fault);
    state->hidden.push_back(std::move(made));
  }
  return result;
}

CounterFamily& Registry::Counters(FamilyOptions options) {
  std::string fault = Fault(options, MetricKind::kCounter);
  return Register(std::make_unique<CounterFamily>(std::move(options), MetricKind::kCounter),
                  std::move(fault));
}

GaugeFamily& Registry::Gauges(FamilyOptions options) {
  std::string fault = Fault(options, MetricKind::kGauge);
  return Register(std::make_unique<GaugeFamily>(std::move(options), MetricKind::kGauge),
                  std::move(fault));
}

HistogramFamily& Registry::Histograms(FamilyOptions options, std::vector<Duration> bounds) {
  std::string fault = Fault(options, MetricKind::kHistogram);
  if (fault.empty() && (bounds.empty() || bounds.size() > kMaxBounds ||
                        std::ranges::adjacent_find(bounds, std::greater_equal()) != bounds.end())) {
    fault = "a histogram has 1 to 100 bounds that ascend";
  }
  if (!fault.empty()) bounds = RequestBounds();
  return Register(std::make_unique<HistogramFamily>(std::move(options), MetricKind::kHistogram,
                                                    std::move(bounds)),
                  std::move(fault));
}

void Registry::Compute(FamilyOptions options, MetricKind kind, Computed compute) {
  std::string fault = Fault(options, kind);
  if (fault.empty() && kind == MetricKind::kHistogram) fault = "a histogram is not computed";
  Register(std::make_unique<ComputedFamily>(std::move(options), kind, std::move(compute)),
           std::move(fault));
}

std::vector<const FamilyBase*> Registry::Families() const {
  return state_.With([](const State& state) {
    std::vector<const FamilyBase*> all;
    for (const auto& family : state.families) all.push_back(family.get());
    return all;
  });
}

std::vector<std::string> Registry::rejected() const {
  return state_.With([](const State& state) { return state.rejected; });
}

void Registry::Visit(SeriesVisitor& visitor) const {
  for (const FamilyBase* family : Families()) {
    visitor.OnFamily(*family);
    family->Visit(visitor);
  }
}

}  // namespace hale::telemetry
