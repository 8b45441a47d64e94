#include "hale/guard/pipeline.h"

#include <algorithm>
#include <array>

#include "hale/base/quantity.h"

namespace hale::guard {
namespace {

using policy::Mode;
using O = GuardOptions;

std::string Text(std::uint64_t number) { return std::to_string(number); }

Mode Always(const O&) { return Mode::kEnforce; }

std::string Deadline(const O& options) { return Print(options.deadline) + " for the whole call"; }

std::string Limit(const O& options) {
  const auto& limit = options.limit;
  return Print(limit.rate) + ", " + (limit.burst == 0 ? "a second's worth" : Text(limit.burst)) +
         " at once";
}

std::string Pace(const O& options) {
  const auto& pace = options.pace;
  return Print(pace.rate) + " at even distances, " + Text(pace.slack) +
         " to make up for, waits of at most " + Print(pace.max_wait);
}

std::string Bulkhead(const O& options) {
  const auto& bulkhead = options.bulkhead;
  std::string text = Text(bulkhead.limit) + " in flight, ";
  text += bulkhead.queue == 0 ? "none waits"
                              : Text(bulkhead.queue) + " may wait " + Print(bulkhead.max_wait);
  for (const auto& [name, share] : bulkhead.partitions.shares) {
    text += ", " + PrintPercent(share) + " for " + name;
  }
  return text;
}

std::string Throttle(const O& options) {
  const auto& throttle = options.throttle;
  return "at most " + PrintPercent(throttle.max_share) + " held back while less than " +
         PrintPercent(1 / throttle.k) + " is taken in " + Print(throttle.window);
}

std::string Concurrency(const O& options) {
  const auto& limit = options.concurrency;
  const std::string range =
      Text(limit.min) + " to " + Text(options.bulkhead.limit) + " of the bulkhead's places";
  if (limit.kind == policy::LimitKind::kAimd) return "aimd, " + range;
  return "gradient2, " + range + ", " + PrintPercent(limit.tolerance) + " of the time without load";
}

std::string Retry(const O& options) {
  const auto& retry = options.retry;
  const auto& budget = retry.budget;
  std::string text = Text(policy::MostAttempts(retry, options.idempotent)) + " attempts of what " +
                     (options.idempotent ? "is idempotent" : "was not executed") +
                     ", back-off below " + Print(retry.backoff_base) + " to " +
                     Print(retry.backoff_max);
  if (budget.mode == Mode::kOff) return text + ", without a budget";
  text += ", out of " + PrintPercent(budget.ratio) + " of the calls and " + Text(budget.reserve) +
          " more in 10s";
  return budget.mode == Mode::kShadow ? text + " (in shadow)" : text;
}

std::string Hedge(const O& options) {
  const auto& hedge = options.hedge;
  return (options.idempotent ? "a second attempt after "
                             : "none of what is not idempotent, else after ") +
         PrintPercent(hedge.percentile) + " of the last calls, " + Print(hedge.floor) + " at least";
}

std::string InTime(const O& options) {
  const auto& in_time = options.in_time;
  return "refused with less time than " + PrintPercent(in_time.quantile) +
         " of the last answers took, " + PrintPercent(in_time.most_refused) +
         " of the calls at most";
}

std::string Breaker(const O& options) {
  const auto& breaker = options.breaker;
  std::string text = "opens at " + PrintPercent(breaker.failure_rate) + " of at least " +
                     Text(breaker.minimum_calls) + " calls in " + Print(breaker.window);
  if (breaker.consecutive_failures != 0) {
    text += " or " + Text(breaker.consecutive_failures) + " in a row";
  }
  if (breaker.slow_call > Duration::zero()) text += ", slow from " + Print(breaker.slow_call);
  return text + ", rests " + Print(breaker.open_for);
}

std::string PerTry(const O& options) {
  if (options.per_try > Duration::zero()) return Print(options.per_try) + " for one attempt";
  return "automatic";
}

// The order in which Guard asks them. A layer that is added is one row here.
constexpr auto kLayers = std::to_array<Layer>({
    {"deadline", Always, Deadline},
    {"in_time", [](const O& o) { return o.in_time.mode; }, InTime},
    {"limit", [](const O& o) { return o.limit.mode; }, Limit},
    {"pace", [](const O& o) { return o.pace.mode; }, Pace},
    {"throttle", [](const O& o) { return o.throttle.mode; }, Throttle},
    {"bulkhead", [](const O& o) { return o.bulkhead.mode; }, Bulkhead},
    {"concurrency", [](const O& o) { return o.concurrency.mode; }, Concurrency},
    {"retry", [](const O& o) { return o.retry.mode; }, Retry},
    {"hedge", [](const O& o) { return o.hedge.mode; }, Hedge},
    {"breaker", [](const O& o) { return o.breaker.mode; }, Breaker},
    {"per_try", Always, PerTry},
});

void CheckPartitions(const policy::PartitionsOptions& partitions, std::vector<Remark>& remarks) {
  if (partitions.by.empty() && partitions.shares.empty()) return;
  const std::string path = "bulkhead.partitions.";
  const auto key = policy::ParsePartitionKey(partitions.by);
  if (!key || key->kind != policy::PartitionKey::Kind::kCall) {
    remarks.push_back({path + "by", "\"" + partitions.by +
                                        "\" is not call: in a guard each call "
                                        "says its partition itself"});
  }
  for (Remark& remark : policy::CheckShares(partitions)) {
    remark.path.insert(0, remark.path.empty() ? path + "shares" : path + "shares.");
    remarks.push_back(std::move(remark));
  }
}

void Pad(std::string& line, std::size_t width) {
  line.append(width - std::min(width, line.size()), ' ');
}

}  // namespace

std::span<const Layer> Layers() { return kLayers; }

std::string Describe(const GuardOptions& options) {
  std::string out = options.name + "\n";
  for (const Layer& layer : kLayers) {
    const Mode mode = layer.mode(options);
    std::string line = "  ";
    line += layer.name;
    Pad(line, 16);
    line += PrintValue(mode);
    if (mode != Mode::kOff) {
      Pad(line, 25);
      line += layer.figures(options);
    }
    out += line + "\n";
  }
  return out;
}

std::vector<Remark> Check(const GuardOptions& options, Calls calls) {
  std::vector<Remark> remarks = OutOfRange(options);
  if (options.hedge.mode != Mode::kOff && calls == Calls::kAny) {
    remarks.push_back({"hedge.mode", "a call that blocks cannot be hedged: use an AsyncGuard"});
  }
  CheckPartitions(options.bulkhead.partitions, remarks);
  return remarks;
}

std::vector<Change> Diff(const GuardOptions& before, const GuardOptions& after) {
  return Differences(before, after);
}

}  // namespace hale::guard
