#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>

#include "hale/base/guarded.h"
#include "hale/cluster/instance.h"
#include "hale/guard/lease.h"
#include "hale/mesh/service_options.h"
#include "hale/net/http_client.h"
#include "hale/policy/outlier.h"
#include "hale/policy/outlier_verdict.h"

namespace hale::mesh {

/// One instance of a service as this process knows it: what calls to it have shown. It stays the
/// same object while its address stays in the set, and for ten minutes after it has left: removing
/// and adding is no amnesty. Its bytes are proof of life. Thread-safe.
class Member final : public guard::Target, public net::ByteObserver {
 public:
  Member(const cluster::Instance& instance, const ServiceOptions& options,
         policy::CircuitBreakerContext context);

  const std::string& address() const { return name(); }
  net::ConnectionLimit& connections() { return connections_; }
  policy::PublishedVerdict& verdict() { return verdict_; }
  const policy::PublishedVerdict& verdict() const { return verdict_; }

  /// Where it is: its address when that is numeric, else what was found under its name last;
  /// nothing while nobody has looked.
  std::optional<net::Address> place() const {
    return place_.With([](const auto& p) { return p; });
  }
  /// Grows when the place changes: then its connections lead to where it was.
  std::uint32_t moves() const { return moves_.load(std::memory_order_acquire); }
  /// What its name means now. It stays where it is while that is among them.
  void OnPlaces(std::span<const net::Address> places);
  bool named() const { return named_; }

  /// A byte of an answer, of a call or of a check.
  void OnBytes(TimePoint now) override { pulse().OnBytes(now); }
  /// A connection was refused.
  void OnRefused(TimePoint now) { refused_.store(now.time_since_epoch().count()); }
  /// It was seen alive without a byte: a connect, a passing check.
  void OnAlive(TimePoint now) { alive_.store(now.time_since_epoch().count()); }
  void OnOpinion(policy::Opinion health) { health_.store(health, std::memory_order_relaxed); }

  TimePoint refused() const { return TimePoint(Duration(refused_.load())); }
  TimePoint alive() const { return TimePoint(Duration(alive_.load())); }
  policy::Opinion health() const { return health_.load(std::memory_order_relaxed); }

  /// `hung_after` stands for that of its breaker's options.
  void Apply(const ServiceOptions& options, Duration hung_after, TimePoint now);

 private:
  bool named_ = false;  // set at construction
  Guarded<std::optional<net::Address>> place_;
  std::atomic<std::uint32_t> moves_{0};
  net::ConnectionLimit connections_;
  policy::PublishedVerdict verdict_;
  std::atomic<std::int64_t> refused_{TimePoint::min().time_since_epoch().count()};
  std::atomic<std::int64_t> alive_{TimePoint::min().time_since_epoch().count()};
  std::atomic<policy::Opinion> health_{policy::Opinion::kNone};
};

}  // namespace hale::mesh
