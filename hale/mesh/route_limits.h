#pragma once

#include <array>
#include <atomic>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/outcome.h"
#include "hale/mesh/limit_options.h"
#include "hale/net/http_head.h"
#include "hale/policy/keyed_limiter.h"
#include "hale/policy/pacer.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/sliding_log.h"

namespace hale::mesh {

/// A request that asks to be admitted.
struct LimitAsk {
  const net::RequestHead& request;
  std::string_view client_ip;
  TimePoint now;
  Duration longest = kForever;  ///< it waits no longer for its turn
  EventSink* trail = nullptr;   ///< its own, see TrailOr
};

/// What one limit gave. A value.
struct LimitTaken {
  policy::KeyedLimiter::Taken permits = {};
  policy::SlidingLog::Taken logged = {};
};

/// One limit of a route or service with its state. Thread-safe.
class RouteLimit {
 public:
  /// `owner`: the route or service, for events.
  RouteLimit(const LimitOptions& options, std::string_view owner, EventSink& events,
             const Clock& clock);

  /// Takes a permit for a request of a client; it may have to wait.
  std::expected<LimitTaken, Rejection> Take(const LimitAsk& ask);
  /// As if it had not been taken.
  void GiveBack(const LimitTaken& taken, TimePoint now);
  /// The request has ended, and so many bytes were received and sent for it.
  void Settle(const LimitTaken& taken, std::uint64_t bytes, TimePoint now);
  /// New figures, the debt kept; what LimitIdentity tells must be the same.
  void Apply(const LimitOptions& options, TimePoint now);

  const std::string& owner() const { return owner_; }
  const LimitOptions& options() const { return options_; }
  std::uint64_t refused() const;
  std::uint64_t would_refuse() const;  ///< in shadow
  /// Requests whose key found no place.
  std::uint64_t overflowed() const { return keyed_ ? keyed_->overflowed() : 0; }
  /// Keys that owe something now; 0 of a limit by all. O(max_keys).
  std::uint64_t keys(TimePoint now) const { return keyed_ ? keyed_->live(now) : 0; }

 private:
  std::expected<LimitTaken, Rejection> TakeKeyed(const LimitAsk& ask);

  LimitOptions options_;  // for /status; written by the control loop only
  const std::string owner_;
  const std::string by_;
  const LimitKey key_;
  const LimitCost cost_;
  std::atomic<std::uint64_t> weight_;  // of a request at admission
  // Exactly one of these.
  std::unique_ptr<policy::RateLimiter> bucket_;
  std::unique_ptr<policy::Pacer> pacer_;
  std::unique_ptr<policy::SlidingLog> log_;
  std::unique_ptr<policy::KeyedLimiter> keyed_;
};

/// What a limit counts and how: a change of these is another limit, of anything else a new figure.
/// Pure.
std::string LimitIdentity(const LimitOptions& options);

/// Whose list a limit stands in.
enum class LimitOf : std::uint8_t { kRoute, kService };

/// A limit and where it stands. The names live as long as the list.
struct ListedLimit {
  std::shared_ptr<RouteLimit> limit;
  LimitOf of = LimitOf::kRoute;
  std::size_t place = 1;  ///< in its list
  std::string which{};    ///< `second limit of the route (5/s by header:x-user)`
};

/// What the limits of a request gave, one each in their order. A value.
struct LimitsTaken {
  std::array<LimitTaken, 2 * kMostLimits> each = {};
  Duration wait{0};          ///< until the last of its turns
  std::size_t waits_at = 0;  ///< whose turn that is
};

/// The limits of one route in their order, those of its service after its own: all admit or none
/// has taken anything. Thread-safe.
class RouteLimits {
 public:
  using List = std::vector<std::shared_ptr<RouteLimit>>;
  /// A refusal, and by which.
  struct Refused {
    Rejection rejection;
    const ListedLimit& by;  ///< lives as long as the list
  };

  RouteLimits() = default;
  /// At most kMostLimits each.
  explicit RouteLimits(const List& of_route, const List& of_service = {});

  bool empty() const { return limits_.empty(); }
  std::expected<LimitsTaken, Refused> Take(const LimitAsk& ask) const;
  void GiveBack(const LimitsTaken& taken, TimePoint now) const;
  void Settle(const LimitsTaken& taken, std::uint64_t bytes, TimePoint now) const;
  const std::vector<ListedLimit>& limits() const { return limits_; }

 private:
  std::vector<ListedLimit> limits_;
};

/// An event of a limit with which one it is in its detail, after what stands there. `buffer` holds
/// the two. Pure.
Event ToldOf(Event event, const ListedLimit& limit, std::string& buffer);

}  // namespace hale::mesh
