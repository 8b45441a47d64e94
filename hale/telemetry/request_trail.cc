#include "hale/telemetry/request_trail.h"

#include <new>

namespace hale::telemetry {

RequestTrail& RequestTrail::operator=(const RequestTrail& other) {
  if (this == &other) return *this;
  began_ = other.began_;
  kinds_ = other.kinds_;
  missed_ = other.missed_;
  size_ = other.size_;
  for (std::size_t i = 0; i < size_; ++i) new (Place(i)) Decision(other.decisions()[i]);
  return *this;
}

void RequestTrail::Add(const Event& event) {
  kinds_ |= 1U << static_cast<unsigned>(event.kind);
  if (size_ == kMaxDecisions) {
    ++missed_;
    return;
  }
  auto* const decision = new (Place(size_++)) Decision;
  decision->offset = event.at - began_;
  decision->kind = event.kind;
  decision->reason = event.reason;
  decision->policy = event.policy;
  decision->service = event.service;
  decision->instance = event.instance;
  decision->observed = event.observed;
  decision->threshold = event.threshold;
  decision->span = event.span;
  decision->detail = event.detail;
}

}  // namespace hale::telemetry
