#include "hale/policy/last_good.h"

#include <algorithm>
#include <utility>

namespace hale::policy {

LastGoodCore::Kept LastGoodCore::Keep(std::string_view key, std::shared_ptr<const void> value,
                                      std::size_t bytes, TimePoint now, Duration good_for,
                                      LastGoodMark asked) {
  if (Outdated(asked)) return Kept::kNo;  // what is there may have been asked for later
  Drop(key);
  if (options_.max_age <= Duration::zero()) return Kept::kNo;
  const std::size_t whole = key.size() + bytes + kEntryBytes;
  if (whole > options_.memory.bytes) return Kept::kTooLarge;
  by_use_.push_front({std::string(key), std::move(value), whole, now, good_for, asked});
  by_key_.emplace(by_use_.front().key, by_use_.begin());
  bytes_ += whole;
  return MakeRoom() ? Kept::kMadeRoom : Kept::kYes;
}

std::optional<LastGoodFound> LastGoodCore::Find(std::string_view key, TimePoint now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const ByUse::iterator entry = found->second;
  const Duration age = AgeOf(*entry, now);
  if (age == kForever) {
    Remove(entry);
    return std::nullopt;
  }
  by_use_.splice(by_use_.begin(), by_use_, entry);
  return LastGoodFound{entry->value, age};
}

Duration LastGoodCore::Age(std::string_view key, TimePoint now) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kForever : AgeOf(*found->second, now);
}

/// kForever when it may not be given any more.
Duration LastGoodCore::AgeOf(const Entry& entry, TimePoint now) const {
  if (Outdated(entry.asked)) return kForever;
  // A clock that stepped back must not make an answer younger than new.
  const Duration age = std::max(Duration::zero(), now - entry.since);
  return age > std::min(options_.max_age, entry.good_for) ? kForever : age;
}

LastGoodMark LastGoodCore::Mark(std::string_view subject) const {
  const std::uint32_t place = PlaceOf(subject);
  return {place, changes_[place]};
}

std::uint32_t LastGoodCore::PlaceOf(std::string_view subject) const {
  return static_cast<std::uint32_t>(by_key_.hash_function()(subject) % kPlaces);
}

bool LastGoodCore::Drop(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  Remove(found->second);
  return true;
}

void LastGoodCore::Apply(const LastGoodOptions& options) {
  options_ = options;
  if (options_.max_age <= Duration::zero()) {
    by_key_.clear();
    by_use_.clear();
    bytes_ = 0;
  }
  MakeRoom();
}

void LastGoodCore::Remove(ByUse::iterator at) {
  bytes_ -= at->bytes;
  by_key_.erase(at->key);
  by_use_.erase(at);
}

bool LastGoodCore::MakeRoom() {
  bool made = false;
  while (bytes_ > options_.memory.bytes || by_use_.size() > options_.entries) {
    Remove(std::prev(by_use_.end()));
    made = true;
  }
  return made;
}

LastGood::LastGood(const LastGoodOptions& options, LastGoodContext context)
    : context_(std::move(context)),
      state_(options,
             HashSecret::Draw(context_.random != nullptr ? *context_.random : ThreadRandom())) {}

bool LastGood::Wants(std::string_view key, TimePoint now) const {
  return state_.With([&](const State& state) {
    return state.core.options().max_age > Duration::zero() &&
           state.core.Age(key, now) >= std::min(kRenewal, state.core.options().max_age);
  });
}

void LastGood::Keep(std::string_view key, std::shared_ptr<const void> value, std::size_t bytes,
                    TimePoint now, Duration good_for, LastGoodMark asked) {
  using Kept = LastGoodCore::Kept;
  Event event;
  {
    const auto state = state_.Lock();
    const Kept kept = state->core.Keep(key, std::move(value), bytes, now, good_for, asked);
    if (kept != Kept::kMadeRoom && kept != Kept::kTooLarge) return;
    ++state->dropped;
    if (std::exchange(state->told, true)) return;
    event.observed = static_cast<double>(state->core.bytes());
    event.threshold = static_cast<double>(state->core.options().memory.bytes);
    event.detail = kept == Kept::kTooLarge ? "an answer is larger than all that may be kept"
                                           : "the answers used longest ago make room";
  }
  event.at = now;
  event.kind = EventKind::kBound;
  event.policy = "last_good";
  event.service = context_.name;
  context_.events.On(event);
}

std::optional<LastGoodFound> LastGood::Find(std::string_view key, TimePoint now) {
  return state_.With([&](State& state) { return state.core.Find(key, now); });
}

LastGoodMark LastGood::Mark(std::string_view subject) const {
  return state_.With([&](const State& state) { return state.core.Mark(subject); });
}

void LastGood::Outdate(std::string_view subject) {
  state_.With([&](State& state) { state.core.Outdate(subject); });
}

void LastGood::Drop(std::string_view key) {
  state_.With([&](State& state) { state.core.Drop(key); });
}

void LastGood::Apply(const LastGoodOptions& options) {
  state_.With([&](State& state) {
    if (options == state.core.options()) return;
    state.core.Apply(options);
    state.told = false;
  });
}

std::size_t LastGood::bytes() const {
  return state_.With([](const State& state) { return state.core.bytes(); });
}

std::size_t LastGood::entries() const {
  return state_.With([](const State& state) { return state.core.entries(); });
}

std::uint64_t LastGood::dropped() const {
  return state_.With([](const State& state) { return state.dropped; });
}

}  // namespace hale::policy
