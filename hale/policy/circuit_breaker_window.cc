#include "hale/policy/circuit_breaker_window.h"

namespace hale::policy {

TimePoint CircuitWindow::Send(TimePoint now) {
  Roll(now);
  ++counted_.slots[timeline_.head() % CircuitTimeline::kSlots].sent;
  return timeline_.latest();
}

void CircuitWindow::Answer(TimePoint sent, Verdict verdict) {
  if (const auto bucket = timeline_.Find(sent)) {
    counted_.slots[*bucket % CircuitTimeline::kSlots].Add(verdict);
  } else {
    ++counted_.late;
  }
}

}  // namespace hale::policy
