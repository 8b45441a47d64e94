#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/cluster/health_options.h"
#include "hale/cluster/instance.h"
#include "hale/mesh/limit_options.h"
#include "hale/policy/balancer.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/concurrency_limit_core.h"
#include "hale/policy/deadline.h"
#include "hale/policy/hedge.h"
#include "hale/policy/mode.h"
#include "hale/policy/outlier.h"
#include "hale/policy/retry.h"
#include "hale/policy/throttle.h"

namespace hale::mesh {

/// Where the instances of a service are found: exactly one of the two.
struct InstancesOptions {
  std::vector<cluster::Instance> fixed = {};  ///< `static` in the document
  std::string file = {};                      ///< a file that lists them, watched for changes
};

constexpr auto Fields(Type<InstancesOptions>) {
  using O = InstancesOptions;
  return std::tuple{Field{"static", &O::fixed, "the instances themselves"},
                    Field{"file", &O::file, "a file that lists them, watched for changes"}};
}
constexpr std::string_view Shorthand(Type<InstancesOptions>) { return "static"; }

/// How long single steps of a call may take; the whole has the route's deadline.
struct TimeoutOptions {
  Duration connect = std::chrono::seconds(1);
  Duration per_try{0};  ///< one attempt, connecting included; 0: see guard::PerTry
};

constexpr auto Fields(Type<TimeoutOptions>) {
  using O = TimeoutOptions;
  using std::chrono::minutes;
  return std::tuple{
      Field{"connect", &O::connect, std::chrono::milliseconds(1), minutes(1), "for connecting"},
      Field{"per_try", &O::per_try, Duration(0), minutes(60),
            "for one attempt; 0: deadline ÷ attempts, at most 5s, while another may follow"}};
}

/// Whether an instance that has stopped answering is noticed, and its calls are raced elsewhere.
struct StallOptions {
  policy::Mode mode = policy::Mode::kEnforce;
};

constexpr auto Fields(Type<StallOptions>) {
  return std::tuple{Field{"mode", &StallOptions::mode, "off, shadow or enforce"}};
}

/// Everything about calling one service.
struct ServiceOptions {
  InstancesOptions instances = {};
  cluster::HealthOptions health = {};
  policy::BalanceOptions balance = {};
  policy::CircuitBreakerOptions breaker = {};  ///< one for each instance
  policy::RetryOptions retry = {};
  policy::ThrottleOptions throttle = {};  ///< this and the next two: one for the service
  policy::BulkheadOptions bulkhead = {};
  policy::ConcurrencyLimitOptions concurrency = {};
  policy::OutlierOptions outlier = {};
  StallOptions stall = {};
  policy::HedgeOptions hedge = {};
  policy::DeadlineOptions deadline = {};
  TimeoutOptions timeout = {};
  std::vector<LimitOptions> limit = {};  ///< of all routes to it together; after their own
  std::uint32_t connections = 256;       ///< to each instance, over all loops
};

constexpr auto Fields(Type<ServiceOptions>) {
  using O = ServiceOptions;
  return std::tuple{
      Field{"instances", &O::instances, "where its instances are found"},
      Field{"health", &O::health, "how instances are asked whether they are well"},
      Field{"balance", &O::balance, "which instance a call goes to"},
      Field{"breaker", &O::breaker, "when an instance is no longer called; one for each"},
      Field{"retry", &O::retry, "which failures are tried again, and how often"},
      Field{"bulkhead", &O::bulkhead, "calls in flight to the service, and its one queue"},
      Field{"throttle", &O::throttle, "calls not sent while the service turns much away"},
      Field{"concurrency", &O::concurrency, "a limit of the bulkhead that finds itself"},
      Field{"outlier", &O::outlier, "how many instances may be left out, and when they return"},
      Field{"stall", &O::stall, "notice an instance that has stopped answering"},
      Field{"hedge", &O::hedge, "a slow call is sent to a second instance as well"},
      Field{"deadline", &O::deadline, "what cannot be answered in time is refused at once"},
      Field{"timeout", &O::timeout, "how long single steps may take"},
      Field{"limit", &O::limit, "at most 8 rates of all routes to it together; all must admit"},
      Field{"connections", &O::connections, 1, 100'000, "to each instance, over all loops"}};
}

}  // namespace hale::mesh
