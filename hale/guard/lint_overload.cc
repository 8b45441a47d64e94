#include <chrono>

#include "hale/base/quantity.h"
#include "hale/guard/lint.h"

namespace hale::guard {
namespace {

using policy::Mode;
using Remarks = std::vector<Remark>;

void Add(Remarks& remarks, std::string_view key, std::string text) {
  remarks.push_back({std::string(key), std::move(text)});
}

}  // namespace

void LintOrder(const policy::BulkheadOptions& bulkhead, Remarks& remarks) {
  if (bulkhead.mode == Mode::kOff) return;
  const policy::BulkheadOptions usual;
  if (bulkhead.order == policy::QueueOrder::kFifo) {
    if (bulkhead.target != usual.target) {
      Add(remarks, "bulkhead.target", "is not used: only order codel has a target");
    }
    if (bulkhead.interval != usual.interval) {
      Add(remarks, "bulkhead.interval", "is not used: only order codel has an interval");
    }
    return;
  }
  if (bulkhead.max_wait <= bulkhead.target) {
    Add(remarks, "bulkhead.target",
        Print(bulkhead.target) + " is not below max_wait " + Print(bulkhead.max_wait) +
            ": a wait ends before it counts");
  }
  if (bulkhead.interval < bulkhead.target && bulkhead.interval != usual.interval) {
    Add(remarks, "bulkhead.interval",
        Print(bulkhead.interval) + " is below the target " + Print(bulkhead.target) +
            ", which is taken in its place");
  }
}

void LintThrottle(const policy::ThrottleOptions& throttle, Remarks& remarks) {
  if (throttle.mode == Mode::kOff) return;
  // Measured: at 14 calls a second and 1.1, 6.9 % of the calls to a service that was well.
  if (throttle.k < 1.5) {
    Add(remarks, "throttle.k",
        PrintFigure(throttle.k) + " holds back calls as soon as " +
            PrintPercent(1 - 1 / throttle.k) +
            " are turned away: below 100 calls a second chance alone does that; 2 is safe");
  }
  const auto whole = std::chrono::floor<std::chrono::seconds>(throttle.window);
  if (throttle.window != whole) {
    Add(remarks, "throttle.window",
        Print(throttle.window) + " is remembered as " + Print(whole) +
            ": attempts are counted by whole seconds");
  }
  if (throttle.max_share == 0) {
    Add(remarks, "throttle.max_share", "0 holds nothing back; leave the throttle off instead");
  }
}

void LintConcurrency(const policy::ConcurrencyLimitOptions& limit,
                     const policy::BulkheadOptions& bulkhead, Remarks& remarks) {
  if (limit.mode == Mode::kOff) return;
  const policy::ConcurrencyLimitOptions defaults;
  const auto most = std::to_string(bulkhead.limit);
  if (limit.mode == Mode::kEnforce && bulkhead.mode != Mode::kEnforce) {
    Add(remarks, "concurrency.mode",
        "what it finds binds nobody while bulkhead.mode is not enforce");
  }
  if (limit.min > bulkhead.limit && limit.min != defaults.min) {
    Add(remarks, "concurrency.min",
        std::to_string(limit.min) + " is above bulkhead.limit " + most + ", which wins");
  }
  if (limit.start > bulkhead.limit && limit.start != defaults.start) {
    Add(remarks, "concurrency.start",
        std::to_string(limit.start) + " is above bulkhead.limit " + most + ", which wins");
  }
  if (limit.start < limit.min) {
    Add(remarks, "concurrency.start",
        std::to_string(limit.start) + " is below min " + std::to_string(limit.min) +
            ", which wins");
  }
  if (limit.kind == policy::LimitKind::kAimd && limit.slow_call <= Duration::zero()) {
    Add(remarks, "concurrency.slow_call",
        "0s: with kind aimd the limit grows to " + most + " unless calls time out or are refused");
  }
}

}  // namespace hale::guard
