#include "app/load_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <limits>

namespace hale::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kReasons = 64;
constexpr Duration kLate = 10ms;
constexpr std::array<std::string_view, static_cast<std::size_t>(LoadSample::Ended::kCount)> kWords{
    "answered", "refused", "reset", "timeout", "protocol", "wrong_body", "unsent"};

bool ByLatency(const LoadSample& a, const LoadSample& b) { return a.latency > b.latency; }

double Millis(Duration span) { return Seconds(span) * 1000; }
/// Three digits after the point are microseconds: finer is noise.
double Rounded(Duration span) { return std::round(Millis(span) * 1000) / 1000; }

json::object Latencies(const LogHistogram& latency) {
  return {{"mean", Rounded(latency.mean())},          {"p50", Rounded(latency.Quantile(0.5))},
          {"p90", Rounded(latency.Quantile(0.9))},    {"p99", Rounded(latency.Quantile(0.99))},
          {"p999", Rounded(latency.Quantile(0.999))}, {"max", Rounded(latency.max())}};
}

std::string LatencyLine(const LogHistogram& latency) {
  return fmt::format("p50 {:.2f}  p90 {:.2f}  p99 {:.2f}  p99.9 {:.2f}  max {:.2f} ms",
                     Millis(latency.Quantile(0.5)), Millis(latency.Quantile(0.9)),
                     Millis(latency.Quantile(0.99)), Millis(latency.Quantile(0.999)),
                     Millis(latency.max()));
}

}  // namespace

std::string_view Word(LoadSample::Ended ended) { return kWords[static_cast<std::size_t>(ended)]; }

LoadReport::LoadReport(const LoadOptions& options) : options_(options) {}

void LoadReport::Group::Add(const LoadSample& sample) {
  ++count;
  if (!sample.ok()) ++failed;
  latency.Add(sample.latency);
}

void LoadReport::Second::Close() {
  std::sort(micros.begin(), micros.end());
  const auto at = [this](double share) {
    if (micros.empty()) return Duration(0);
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(micros.size())));
    return Duration(std::chrono::microseconds(micros[std::max<std::size_t>(rank, 1) - 1]));
  };
  p50 = at(0.5);
  p99 = at(0.99);
  max = at(1);
  micros = {};
}

void LoadReport::Record(const LoadSample& sample) {
  ++ended_[static_cast<std::size_t>(sample.ended)];
  all_.Add(sample);
  methods_[sample.method].Add(sample);
  if (sample.status != 0) ++statuses_[sample.status];
  if (!sample.reason.empty()) {
    const bool known = reasons_.contains(sample.reason);
    ++reasons_[known || reasons_.size() < kReasons ? sample.reason : "other"];
  }
  late_.Add(sample.late);
  if (sample.late > kLate) ++too_late_;
  bytes_ += sample.bytes;
  RecordSecond(sample);
  RecordSlowest(sample);
}

void LoadReport::RecordSecond(const LoadSample& sample) {
  const auto index = static_cast<std::size_t>(sample.at / 1s);
  if (index >= seconds_.size()) seconds_.resize(index + 1);
  Second& second = seconds_[index];
  ++second.count;
  if (!sample.ok()) ++second.failed;
  second.late = std::max(second.late, sample.late);
  if (index < closed_) {  // cannot be: nothing ends later than its timeout
    second.max = std::max(second.max, sample.latency);
  } else {
    second.micros.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(
        sample.latency / 1us, 0, std::numeric_limits<std::uint32_t>::max())));
  }
  // What is older than the timeout is complete: keep its figures, not its requests.
  const Duration over = sample.at + sample.latency - options_.timeout - 2s;
  while (closed_ < seconds_.size() && Duration(1s) * static_cast<long>(closed_ + 1) < over) {
    seconds_[closed_++].Close();
  }
}

void LoadReport::RecordSlowest(const LoadSample& sample) {
  if (slowest_.size() < options_.slowest) {
    slowest_.push_back(sample);
    std::push_heap(slowest_.begin(), slowest_.end(), ByLatency);
  } else if (!slowest_.empty() && sample.latency > slowest_.front().latency) {
    std::pop_heap(slowest_.begin(), slowest_.end(), ByLatency);
    slowest_.back() = sample;
    std::push_heap(slowest_.begin(), slowest_.end(), ByLatency);
  }
}

void LoadReport::Finish(Duration elapsed) {
  elapsed_ = elapsed;
  while (closed_ < seconds_.size()) seconds_[closed_++].Close();
  std::sort(slowest_.begin(), slowest_.end(), ByLatency);
}

bool LoadReport::valid() const {
  return too_late_ * 100 <= all_.count &&
         ended_[static_cast<std::size_t>(LoadSample::Ended::kUnsent)] == 0;
}

std::string LoadReport::ProgressLine(Duration now) const {
  return fmt::format("{:4.0f} s of {:.0f} s  {} sent, {} failed  {}", Seconds(now),
                     Seconds(options_.duration), all_.count, all_.failed,
                     LatencyLine(all_.latency));
}

std::string LoadReport::Describe(const LoadSample& sample) {
  return fmt::format(
      "{:8.3f} s  {:9.2f} ms  {} {}  {}{}", Seconds(sample.at), Millis(sample.latency),
      sample.method, sample.path,
      sample.status != 0 ? std::to_string(sample.status) : std::string(Word(sample.ended)),
      sample.reason.empty() ? "" : " " + sample.reason);
}

std::string LoadReport::Text() const {
  std::string out =
      fmt::format("{} requests in {:.1f} s ({:.1f}/s), {} failed, {:.1f} MB received\n", all_.count,
                  Seconds(elapsed_),
                  Seconds(elapsed_) > 0 ? static_cast<double>(all_.count) / Seconds(elapsed_) : 0,
                  all_.failed, static_cast<double>(bytes_) / 1e6);
  out += "latency from the intended send time: " + LatencyLine(all_.latency) + "\n";
  if (methods_.size() > 1) {
    for (const auto& [method, group] : methods_) {
      out += fmt::format("  {:8} {} sent, {} failed, {}\n", method, group.count, group.failed,
                         LatencyLine(group.latency));
    }
  }
  for (const auto& [status, count] : statuses_)
    out += fmt::format("  status {}: {}\n", status, count);
  for (const auto& [reason, count] : reasons_)
    out += fmt::format("  hale-reason {}: {}\n", reason, count);
  for (std::size_t i = 1; i < ended_.size(); ++i) {
    if (ended_[i] > 0) out += fmt::format("  {}: {}\n", kWords[i], ended_[i]);
  }
  if (all_.failed > 0 || all_.latency.max() > 1s) {
    out += "slowest:\n";
    for (const LoadSample& sample : slowest_) out += "  " + Describe(sample) + "\n";
  }
  if (options_.per_second) {
    out += "second     sent   failed   p50 ms    p99 ms    max ms\n";
    for (std::size_t i = 0; i < seconds_.size(); ++i) {
      const Second& second = seconds_[i];
      out += fmt::format("{:6} {:8} {:8} {:8.2f} {:9.2f} {:9.2f}\n", i, second.count, second.failed,
                         Millis(second.p50), Millis(second.p99), Millis(second.max));
    }
  }
  if (!valid()) {
    out += fmt::format(
        "NOT VALID: the generator fell behind: {} requests left more than 10 ms late, at worst "
        "{:.1f} ms; {} found no room\n",
        too_late_, Millis(late_.max()),
        ended_[static_cast<std::size_t>(LoadSample::Ended::kUnsent)]);
  }
  return out;
}

std::string LoadReport::Json() const {
  json::object out{{"target", options_.authority},
                   {"rate", Print(options_.rate)},
                   {"elapsed_seconds", Seconds(elapsed_)},
                   {"sent", all_.count},
                   {"ok", all_.count - all_.failed},
                   {"failed", all_.failed},
                   {"bytes", bytes_},
                   {"latency_ms", Latencies(all_.latency)}};
  json::object statuses;
  for (const auto& [status, count] : statuses_) statuses[std::to_string(status)] = count;
  out["status"] = statuses;
  json::object reasons;
  for (const auto& [reason, count] : reasons_) reasons[reason] = count;
  out["reason"] = reasons;
  json::object transport;
  for (std::size_t i = 1; i < ended_.size(); ++i) transport[kWords[i]] = ended_[i];
  out["transport"] = transport;
  json::object methods;
  for (const auto& [method, group] : methods_) {
    methods[method] = json::object{
        {"sent", group.count}, {"failed", group.failed}, {"latency_ms", Latencies(group.latency)}};
  }
  out["method"] = methods;
  json::array slow;
  for (const LoadSample& sample : slowest_) {
    slow.push_back(json::object{{"number", sample.number},
                                {"at_seconds", Seconds(sample.at)},
                                {"latency_ms", Rounded(sample.latency)},
                                {"method", sample.method},
                                {"path", sample.path},
                                {"status", sample.status},
                                {"ended", Word(sample.ended)},
                                {"reason", sample.reason}});
  }
  out["slowest"] = slow;
  if (options_.per_second) {
    json::array seconds;
    for (std::size_t i = 0; i < seconds_.size(); ++i) {
      const Second& second = seconds_[i];
      seconds.push_back(json::object{{"second", i},
                                     {"sent", second.count},
                                     {"failed", second.failed},
                                     {"p50_ms", Rounded(second.p50)},
                                     {"p99_ms", Rounded(second.p99)},
                                     {"max_ms", Rounded(second.max)},
                                     {"late_ms", Rounded(second.late)}});
    }
    out["seconds"] = seconds;
  }
  out["late_ms"] =
      json::object{{"p99", Rounded(late_.Quantile(0.99))}, {"max", Rounded(late_.max())}};
  out["valid"] = valid();
  return json::serialize(out);
}

}  // namespace hale::app
