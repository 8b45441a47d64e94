#include "hale/policy/fallback.h"

#include <algorithm>

namespace hale::policy {
namespace {

static_assert(static_cast<int>(Reason::kCount) <= 64, "after_ has a bit for each reason");

constexpr std::uint64_t Bit(Reason reason) {
  return std::uint64_t{1} << static_cast<unsigned>(reason);
}

std::uint64_t Unavailable() {
  std::uint64_t all = 0;
  for (const auto& name : Names(Type<Reason>{})) all |= Bit(name.value);
  return all;
}

}  // namespace

FallbackRule::FallbackRule(const FallbackOptions& options)
    : mode_(options.mode), after_status_(options.after_status) {
  if (options.after.empty()) after_ = Unavailable();
  for (const Reason reason : options.after) after_ |= Bit(reason);
}

bool FallbackRule::Covers(Reason reason, int status) const {
  if (mode_ == Mode::kOff || reason == Reason::kNone || IsCallersFault(reason)) return false;
  if ((after_ & Bit(reason)) == 0) return false;
  return reason != Reason::kUpstreamStatus || status == 0 ||
         std::ranges::find(after_status_, status) != after_status_.end();
}

bool FallbackRule::Covers(const Error& error) const {
  if (error.reason != Reason::kNone) return Covers(error.reason);
  if (error.code == Code::kUnavailable) return Covers(Reason::kUpstreamStatus);
  return error.code == Code::kDeadlineExceeded && Covers(Reason::kUpstreamTimeout);
}

Event FellBack(Mode mode, Reason reason, std::string_view how, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = mode == Mode::kShadow ? EventKind::kWouldRefuse : EventKind::kFellBack;
  event.reason = reason;
  event.policy = "fallback";
  event.detail = how;
  return event;
}

}  // namespace hale::policy
