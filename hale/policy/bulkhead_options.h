#pragma once

#include <cstdint>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/admission_queue.h"
#include "hale/policy/mode.h"
#include "hale/policy/partitions.h"

namespace hale::policy {

struct BulkheadOptions {
  Mode mode = Mode::kEnforce;
  std::uint32_t limit = 1024;  ///< calls in flight at once
  std::uint32_t queue = 1024;  ///< calls that may wait for a place; 0: none
  Duration max_wait = 200ms;   ///< and no longer than this, or half of their remaining deadline
  QueueOrder order = QueueOrder::kFifo;  ///< of those of one priority and key
  Duration target = 5ms;                 ///< see AdmissionQueueOptions
  Duration interval = 100ms;
  PartitionsOptions partitions = {};

  friend bool operator==(const BulkheadOptions&, const BulkheadOptions&) = default;
};

constexpr auto Fields(Type<BulkheadOptions>) {
  using O = BulkheadOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"limit", &O::limit, 1, 1'000'000, "calls in flight at once"},
      Field{"queue", &O::queue, 0, 1'000'000, "calls that may wait for a place"},
      Field{"max_wait", &O::max_wait, 0ms, 1min, "longest wait; also at most half the deadline"},
      Field{"order", &O::order,
            "fifo, or codel: a queue that stands has the last go first and sheds who waits longer "
            "than the target"},
      Field{"target", &O::target, 1ms, 1min,
            "codel: longest wait in a queue that stands; at least twice what a call takes"},
      Field{"interval", &O::interval, 1ms, 1min,
            "codel: a queue that was not empty for so long stands"},
      Field{"partitions", &O::partitions, "shares of the limit and the queue for some calls"}};
}

/// The options of its queue. Pure.
inline AdmissionQueueOptions QueueOf(const BulkheadOptions& options) {
  return {.size = options.queue,
          .max_wait = options.max_wait,
          .order = options.order,
          .target = options.target,
          .interval = options.interval};
}

}  // namespace hale::policy
