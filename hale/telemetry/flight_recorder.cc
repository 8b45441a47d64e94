#include "hale/telemetry/flight_recorder.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "hale/telemetry/answer_failed.h"
#include "hale/telemetry/redact.h"

namespace hale::telemetry {
namespace {

// What is done to a request that is worth telling although it was answered.
constexpr std::array kTouched = {EventKind::kRetried, EventKind::kRetryDenied, EventKind::kRaced,
                                 EventKind::kHedged,  EventKind::kJoined,      EventKind::kFellBack,
                                 EventKind::kDelayed, EventKind::kStalled};

template <std::size_t N>
FixedText<N> HeaderText(std::span<const HeaderView> headers) {
  std::array<char, N> text;
  std::size_t size = 0;
  const auto put = [&](std::string_view part) {
    part = part.substr(0, N - size);
    std::ranges::copy(part, text.begin() + static_cast<std::ptrdiff_t>(size));
    size += part.size();
  };
  for (const HeaderView& header : headers) {
    put(header.name);
    put(": ");
    put(IsSecretName(header.name) ? kRedacted : header.value);
    put("\n");
  }
  return std::string_view(text.data(), size);
}

bool IsNamed(const RequestRecord& record, std::string_view id) {
  const auto trace = TraceIdText(record.trace);
  return record.request_id == id || std::string_view(trace.data(), trace.size()) == id;
}

}  // namespace

std::string_view Word(Kept kept) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Kept::kCount)> kWords = {
      "refused", "failed", "recovered", "slow", "sampled", "shadow"};
  return kWords[static_cast<std::size_t>(kept)];
}

FlightRecorder::FlightRecorder(const FlightRecorderOptions& options) : options_(options) {}

std::optional<Kept> FlightRecorder::Classify(const AccessRecord& request,
                                             const RequestTrail& trail) const {
  // An error of the service's own that was shared came from an instance, asked by another call.
  const bool local = request.attempts == 0 && request.reason != Reason::kNone &&
                     request.reason != Reason::kUpstreamStatus;
  if (local && request.status != 0) return Kept::kRefused;
  if (AnswerFailed(request.status, request.reason)) return Kept::kFailed;
  if (std::ranges::any_of(kTouched, [&](EventKind kind) { return trail.Has(kind); })) {
    return Kept::kRecovered;
  }
  if (request.duration >= options_.slow) return Kept::kSlow;
  // By the trace's own bits, so that all hops keep the same requests. The low 56 bits are random.
  const auto dice = static_cast<double>(request.trace.trace_low & ((std::uint64_t{1} << 56) - 1));
  if (request.trace.valid() && dice < options_.sample * 0x1.0p56) return Kept::kSampled;
  if (trail.Has(EventKind::kWouldRefuse)) return Kept::kShadow;
  return std::nullopt;
}

void FlightRecorder::Keep(Kept kept, const AccessRecord& request, const RequestTrail& trail,
                          std::span<const HeaderView> headers) {
  // Everything is copied before the lock is taken; what is left under it is one assignment.
  std::array<char, 256> target;
  RequestRecord record;
  record.sequence = 1 + sequence_.fetch_add(1, std::memory_order_relaxed);
  record.kept = kept;
  record.time = request.time;
  record.duration = request.duration;
  record.request_id = request.request_id;
  record.trace = request.trace;
  record.method = request.method;
  record.target = RedactTarget(request.target, target);
  record.route = request.route;
  record.service = request.service;
  record.instance = request.instance;
  record.client = request.client;
  record.status = request.status;
  record.reason = request.reason;
  record.attempts = request.attempts;
  record.trail = trail;
  record.headers = HeaderText<1024>(headers);
  lanes_[static_cast<std::size_t>(kept)].With([&](Lane& lane) {
    if (options_.lane == 0) return;
    if (lane.ring.size() < options_.lane) {
      lane.ring.push_back(record);
    } else {
      lane.ring[lane.count % lane.ring.size()] = record;
    }
    ++lane.count;
  });
}

std::vector<RequestRecord> FlightRecorder::Find(std::string_view id) const {
  std::vector<RequestRecord> found;
  for (const auto& guarded : lanes_) {
    guarded.With([&](const Lane& lane) {
      for (const RequestRecord& record : lane.ring) {
        if (IsNamed(record, id)) found.push_back(record);
      }
    });
  }
  std::ranges::sort(found, {}, &RequestRecord::sequence);
  return found;
}

std::vector<RequestRecord> FlightRecorder::Latest(std::size_t limit) const {
  std::vector<RequestRecord> all;
  for (const auto& guarded : lanes_) {
    guarded.With(
        [&](const Lane& lane) { all.insert(all.end(), lane.ring.begin(), lane.ring.end()); });
  }
  std::ranges::sort(all, {}, [](const RequestRecord& record) {
    return std::pair(record.kept == Kept::kShadow, ~record.sequence);
  });
  if (all.size() > limit) all.resize(limit);
  std::ranges::sort(all, std::ranges::greater(), &RequestRecord::sequence);
  return all;
}

std::uint64_t FlightRecorder::kept(Kept lane) const {
  return lanes_[static_cast<std::size_t>(lane)].With([](const Lane& l) { return l.count; });
}

}  // namespace hale::telemetry
