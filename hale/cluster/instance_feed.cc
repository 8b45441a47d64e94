#include "hale/cluster/instance_feed.h"

#include <utility>

namespace hale::cluster {

InstanceFeed::Subscription& InstanceFeed::Subscription::operator=(Subscription&& other) noexcept {
  Close();
  reader_ = std::move(other.reader_);
  return *this;
}

void InstanceFeed::Subscription::Close() {
  if (!reader_) return;
  reader_->mailbox.With([](Mailbox& mailbox) {
    mailbox.closed = true;
    mailbox.newest.reset();
  });
  // Here and now: what it captured belongs to this executor, and the reader may be held by a
  // thread that is publishing.
  reader_->ended = true;
  if (!reader_->telling) reader_->listener = nullptr;
  reader_.reset();
}

InstanceFeed::Subscription InstanceFeed::Subscribe(Executor& executor, Listener listener) {
  auto reader = std::make_shared<Reader>(executor, std::move(listener));
  auto current = state_.With([&](State& state) {
    std::erase_if(state.readers, [](const auto& known) { return known.expired(); });
    state.readers.push_back(reader);
    return state.current;
  });
  if (current) Deliver(reader, std::move(current));
  return Subscription(std::move(reader));
}

void InstanceFeed::Publish(Instances instances) {
  auto set = std::make_shared<InstanceSet>();
  set->instances = std::move(instances);
  const auto readers = state_.With([&](State& state) {
    set->version = state.current ? state.current->version + 1 : 1;
    state.current = set;
    return state.readers;
  });
  for (const auto& known : readers) {
    if (auto reader = known.lock()) Deliver(reader, set);
  }
}

std::shared_ptr<const InstanceSet> InstanceFeed::current() const {
  return state_.With([](const State& state) { return state.current; });
}

void InstanceFeed::Deliver(const std::shared_ptr<Reader>& reader,
                           std::shared_ptr<const InstanceSet> set) {
  const auto mailbox = reader->mailbox.Lock();
  // A delivery of an older set may come late, when a subscriber comes while one is published.
  if (mailbox->closed || set->version <= mailbox->told) return;
  mailbox->told = set->version;
  mailbox->newest = std::move(set);
  if (std::exchange(mailbox->posted, true)) return;
  // Posted under the lock: after Close, which takes it, nothing reaches an executor that may be
  // gone. Post runs nothing here, so the lock is held for the length of a push.
  reader->executor.Post([reader] {
    auto newest = reader->mailbox.With([](Mailbox& box) {
      box.posted = false;
      return std::exchange(box.newest, nullptr);
    });
    if (!newest) return;
    reader->telling = true;
    reader->listener(std::move(newest));
    reader->telling = false;
    if (reader->ended) reader->listener = nullptr;
  });
}

}  // namespace hale::cluster
