#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "hale/base/error.h"
#include "hale/base/field.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/cluster/instances.h"
#include "hale/cluster/registry.h"
#include "hale/policy/backoff.h"

namespace hale::cluster {

/// How a registry is watched. The defaults suit every registry; tests shorten them.
struct WatchOptions {
  Duration backoff = std::chrono::milliseconds(100);  ///< bound of the wait after one failure,
  Duration backoff_max = std::chrono::seconds(30);    ///< doubled by each further one up to this
  Duration confirm_after = std::chrono::seconds(1);   ///< before the second reading of a shrink
  double shrink = 0.5;                                ///< share lost at once that needs it
  Duration spacing = std::chrono::milliseconds(50);   ///< least time between two published sets
  Duration expire_after = std::chrono::hours(1);      ///< a stale set is called expired then
};

/// How well a set follows its registry.
enum class Freshness : std::uint8_t {
  kNone,     ///< there was no set yet
  kLive,     ///< the registry answers
  kStale,    ///< it does not; the last good set is kept,
  kExpired,  ///< and so long that its instances may be somebody else's by now
};

constexpr auto Names(Type<Freshness>) {
  return std::array{
      Name<Freshness>{"none", Freshness::kNone}, Name<Freshness>{"live", Freshness::kLive},
      Name<Freshness>{"stale", Freshness::kStale}, Name<Freshness>{"expired", Freshness::kExpired}};
}

/// What is done with each answer of a registry, and when it is asked again.
///
/// The last good set is kept whatever happens. A position never falls within an epoch. An empty
/// set after one that was not, or one that lost more than the share `shrink` at once, is held
/// until a fresh reading names the same addresses, or until ten readings disagreed: registries
/// that restart lose their instances for a moment, and a real end must not be ignored for ever.
/// Pure: no clock, no I/O. Not thread-safe.
class WatchCore {
 public:
  /// More instances than this are refused as a mistake.
  static constexpr std::size_t kMaxInstances = 100'000;

  enum class Verdict : std::uint8_t {
    kApplied,    ///< instances() is new
    kUnchanged,  ///< the registry answers, and says what we know
    kHeld,       ///< taken away too much at once; a fresh reading must agree
    kRegressed,  ///< older than what we have
    kRefused,    ///< nothing in it can be used; error() says why
  };

  explicit WatchCore(const WatchOptions& options) : options_(options) {}

  /// Where to ask from now: the default Position (read afresh) while a set is held.
  Position Ask(TimePoint now);
  Verdict Offer(Update update, TimePoint now);
  void Fail(Error error, TimePoint now);
  /// How long to leave the registry alone after the last Offer or Fail.
  Duration Rest(TimePoint now, Random& random) const;

  const std::shared_ptr<const Instances>& instances() const { return instances_; }
  const Position& position() const { return position_; }
  Freshness freshness(TimePoint now) const;
  /// Since the registry last answered; zero before its first answer.
  Duration age(TimePoint now) const;
  /// Of the last failure; kOk-coded while it answers.
  const Error& error() const { return error_; }
  bool holding() const { return held_.has_value(); }
  const Instances* held() const { return held_ ? &held_->instances : nullptr; }
  /// Since construction: instances left out because they were malformed, and what the last was.
  std::uint64_t malformed() const { return malformed_; }
  const std::string& last_malformed() const { return last_malformed_; }

 private:
  enum class Last : std::uint8_t { kNothing, kApplied, kUnchanged, kHeld, kFailed };
  struct Held {
    Instances instances;
    Position position;
    std::uint32_t readings = 1;
  };

  Result<Instances> Sift(std::vector<Instance> all, const std::vector<std::string>& unread);
  bool TakesTooMuch(const Instances& now) const;
  bool MustHold(const Instances& now, const Position& at);
  policy::Backoff backoff() const { return {options_.backoff, options_.backoff_max}; }
  void Answered(TimePoint now);

  WatchOptions options_;
  std::shared_ptr<const Instances> instances_;
  Position position_;
  std::optional<Held> held_;
  Error error_{Code::kOk, {}};
  std::uint32_t failures_ = 0;
  std::optional<TimePoint> answered_;
  TimePoint asked_{};
  TimePoint up_since_{};
  Last last_ = Last::kNothing;
  std::uint64_t malformed_ = 0;
  std::string last_malformed_;
};

}  // namespace hale::cluster
