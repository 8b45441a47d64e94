#include "hale/cluster/watch_core.h"

#include <algorithm>
#include <utility>

namespace hale::cluster {
namespace {

// A registry that says the same again sooner than this is asked less often: some long polls come
// back at once (Consul's with index 0, or beside a busy service: hashicorp/consul#4810).
constexpr Duration kQuiet = std::chrono::seconds(1);
// A set that differs at each reading is believed at last: the registry has changed its mind.
constexpr std::uint32_t kMaxReadings = 10;
constexpr Duration kMaxRetryAfter = std::chrono::minutes(5);

bool SameAddresses(const Instances& a, const Instances& b) {
  return std::ranges::equal(a, b, {}, &Instance::address, &Instance::address);
}

}  // namespace

Position WatchCore::Ask(TimePoint now) {
  asked_ = now;
  return held_ ? Position() : position_;
}

WatchCore::Verdict WatchCore::Offer(Update update, TimePoint now) {
  const Position& known = held_ ? std::max(position_, held_->position) : position_;
  if (update.position < known) {
    Fail(Error(Code::kAborted, "the registry answered from before what it said last"), now);
    return Verdict::kRegressed;
  }
  auto sifted = Sift(std::move(update.instances), update.malformed);
  if (!sifted) {
    Fail(std::move(sifted.error()), now);
    return Verdict::kRefused;
  }
  Instances next = std::move(*sifted);
  Answered(now);
  if (!update.authoritative && instances_) next = Merge(*instances_, next);
  if (MustHold(next, update.position)) {
    last_ = Last::kHeld;
    return Verdict::kHeld;
  }
  held_.reset();
  position_ = std::move(update.position);
  if (instances_ && *instances_ == next) {
    last_ = Last::kUnchanged;
    return Verdict::kUnchanged;
  }
  instances_ = std::make_shared<const Instances>(std::move(next));
  last_ = Last::kApplied;
  return Verdict::kApplied;
}

Result<Instances> WatchCore::Sift(std::vector<Instance> all,
                                  const std::vector<std::string>& unread) {
  if (all.size() > kMaxInstances) {
    return hale::Fail(Code::kResourceExhausted,
                      std::to_string(all.size()) + " instances; at most 100000 are taken");
  }
  const std::size_t told = all.size() + unread.size();
  malformed_ += unread.size();
  if (!unread.empty()) last_malformed_ = unread.back();
  std::erase_if(all, [this](const Instance& instance) {
    const auto checked = Check(instance);
    if (checked) return false;
    ++malformed_;
    last_malformed_ = checked.error().message;
    return true;
  });
  if (told > 0 && all.empty()) {
    return hale::Fail(Code::kInvalidArgument, "no instance is well-formed: " + last_malformed_);
  }
  return Instances(std::move(all));
}

bool WatchCore::TakesTooMuch(const Instances& now) const {
  if (!instances_ || instances_->empty()) return false;
  const auto had = static_cast<double>(instances_->size());
  return now.empty() || static_cast<double>(now.size()) < had * (1 - options_.shrink);
}

bool WatchCore::MustHold(const Instances& now, const Position& at) {
  if (!TakesTooMuch(now)) return false;
  if (!held_) {
    held_.emplace(now, at);
    return true;
  }
  if (SameAddresses(held_->instances, now)) return false;
  held_->instances = now;
  held_->position = at;
  return ++held_->readings < kMaxReadings;
}

void WatchCore::Answered(TimePoint now) {
  if (last_ == Last::kFailed || !answered_) up_since_ = now;
  answered_ = now;
  error_ = Error(Code::kOk, {});
}

void WatchCore::Fail(Error error, TimePoint now) {
  // A registry that answers once between two failures is not well: only one that was up for longer
  // than the wait it would otherwise be given starts from the shortest.
  if (last_ != Last::kFailed && answered_ && now - up_since_ > backoff().Ceiling(failures_))
    failures_ = 0;
  ++failures_;
  error_ = std::move(error);
  // What was held is forgotten: its second reading must come from a registry that is up.
  held_.reset();
  last_ = Last::kFailed;
}

Duration WatchCore::Rest(TimePoint now, Random& random) const {
  switch (last_) {
    case Last::kNothing:
      return Duration::zero();
    case Last::kApplied:
      return options_.spacing;
    case Last::kHeld:
      return random.Between(options_.confirm_after, Scale(options_.confirm_after, 1.2));
    case Last::kUnchanged:
      return now - asked_ >= kQuiet ? Duration::zero() : random.Between(kQuiet / 2, kQuiet);
    case Last::kFailed:
      break;
  }
  const Duration asked_for = std::clamp(error_.retry_after, Duration::zero(), kMaxRetryAfter);
  return asked_for + backoff().Delay(failures_, random);
}

Freshness WatchCore::freshness(TimePoint now) const {
  if (!instances_) return Freshness::kNone;
  if (last_ != Last::kFailed) return Freshness::kLive;
  return age(now) > options_.expire_after ? Freshness::kExpired : Freshness::kStale;
}

Duration WatchCore::age(TimePoint now) const {
  return answered_ ? now - *answered_ : Duration::zero();
}

}  // namespace hale::cluster
