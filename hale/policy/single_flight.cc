#include "hale/policy/single_flight.h"

#include <utility>

namespace hale::policy {

/// What its leader owns and the table points to while it can be joined.
struct SingleFlight::Flight {
  std::string key;
  std::size_t shard = 0;
  Follower* first = nullptr;
  Follower* last = nullptr;
  std::size_t followers = 0;
  bool closed = false;
  std::shared_ptr<Observer> observer;

  void Add(Follower& follower) {
    follower.flight_ = this;
    follower.shard_ = shard;
    follower.previous_ = last;
    follower.next_ = nullptr;
    (last != nullptr ? last->next_ : first) = &follower;
    last = &follower;
    ++followers;
  }
  void Remove(Follower& follower) {
    (follower.previous_ != nullptr ? follower.previous_->next_ : first) = follower.next_;
    (follower.next_ != nullptr ? follower.next_->previous_ : last) = follower.previous_;
    follower.flight_ = nullptr;
    --followers;
  }
  /// All of them, theirs no longer to leave.
  Follower* Release() {
    for (Follower* at = first; at != nullptr; at = at->next_) at->flight_ = nullptr;
    followers = 0;
    last = nullptr;
    return std::exchange(first, nullptr);
  }
};

SingleFlight::Lead::Lead() = default;
SingleFlight::Lead::Lead(SingleFlight& owner, std::unique_ptr<Flight> flight)
    : owner_(&owner), flight_(std::move(flight)) {}
SingleFlight::Lead::Lead(Lead&& other) noexcept = default;
SingleFlight::Lead& SingleFlight::Lead::operator=(Lead&& other) noexcept {
  if (this == &other) return *this;
  Land({});
  owner_ = other.owner_;
  flight_ = std::move(other.flight_);
  return *this;
}
SingleFlight::Lead::~Lead() { Land({}); }

void SingleFlight::Lead::Land(Landed landed) {
  if (!flight_) return;
  const std::unique_ptr<Flight> flight = std::move(flight_);
  Follower* next = owner_->shards_[flight->shard]->table.With([&](Table& table) {
    owner_->Close(table, *flight);
    return flight->Release();
  });
  while (next != nullptr) {
    // It may be gone once it has been told.
    Follower& follower = *std::exchange(next, next->next_);
    follower.landed_ = landed;
    follower.OnLanded();
  }
}

std::size_t SingleFlight::Lead::followers() const {
  if (!flight_) return 0;
  const auto table = owner_->shards_[flight_->shard]->table.Lock();
  return flight_->followers;
}

bool SingleFlight::Lead::Abandon(std::shared_ptr<Observer> observer) {
  if (!flight_) return true;
  const auto table = owner_->shards_[flight_->shard]->table.Lock();
  if (flight_->followers == 0) {
    owner_->Close(*table, *flight_);
    return true;
  }
  flight_->observer = std::move(observer);
  return false;
}

SingleFlight::SingleFlight(const SingleFlightOptions& options, SingleFlightContext context)
    : context_(std::move(context)),
      secret_(HashSecret::Draw(context_.random != nullptr ? *context_.random : ThreadRandom())),
      mode_(options.mode),
      max_keys_(options.max_keys) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>(secret_);
}

SingleFlight::~SingleFlight() = default;

void SingleFlight::Close(Table& table, Flight& flight) {
  if (std::exchange(flight.closed, true)) return;
  table.erase(flight.key);
  const auto left = flights_.fetch_sub(1, std::memory_order_relaxed) - 1;
  if (left <= max_keys_.load(std::memory_order_relaxed) / 2) {
    told_full_.store(false, std::memory_order_relaxed);
  }
}

SingleFlight::Joined SingleFlight::Join(std::string_view key, Follower& follower, TimePoint now,
                                        EventSink* trail) {
  const Mode mode = this->mode();
  if (mode == Mode::kOff) return {};
  const std::size_t shard = KeyedHasher{secret_}(key) % kParts;
  bool full = false;
  {
    const auto table = shards_[shard]->table.Lock();
    if (const auto found = table->find(key); found != table->end()) {
      if (mode == Mode::kEnforce) {
        found->second->Add(follower);
        joined_.fetch_add(1, std::memory_order_relaxed);
        return {Part::kFollows, {}};
      }
    } else if (flights_.fetch_add(1, std::memory_order_relaxed) <
               max_keys_.load(std::memory_order_relaxed)) {
      auto flight = std::make_unique<Flight>();
      flight->key = key;
      flight->shard = shard;
      table->emplace(flight->key, flight.get());
      return {Part::kLeads, Lead(*this, std::move(flight))};
    } else {
      flights_.fetch_sub(1, std::memory_order_relaxed);
      full = true;
    }
  }
  if (!full) {
    Tell(EventKind::kWouldRefuse, "shadow: it would have joined an identical call", now,
         TrailOr(trail, context_.events));
  } else if (!told_full_.exchange(true, std::memory_order_relaxed)) {
    Tell(EventKind::kBound, "too many calls under way to be joined: others go alone", now,
         context_.events);
  }
  return {};
}

bool SingleFlight::Leave(Follower& follower) {
  std::shared_ptr<Observer> deserted;
  {
    const auto table = shards_[follower.shard_]->table.Lock();
    if (follower.flight_ == nullptr) return false;
    Flight& flight = *follower.flight_;
    flight.Remove(follower);
    if (flight.followers == 0) deserted = std::exchange(flight.observer, nullptr);
  }
  if (deserted) deserted->OnDeserted();
  return true;
}

void SingleFlight::Apply(const SingleFlightOptions& options) {
  max_keys_.store(options.max_keys, std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

void SingleFlight::Tell(EventKind kind, std::string_view detail, TimePoint now,
                        EventSink& sink) const {
  Event event;
  event.at = now;
  event.kind = kind;
  event.policy = "single_flight";
  event.service = context_.name;
  event.detail = detail;
  if (kind == EventKind::kBound) {
    event.observed = static_cast<double>(flights());
    event.threshold = static_cast<double>(max_keys_.load(std::memory_order_relaxed));
  }
  sink.On(event);
}

}  // namespace hale::policy
