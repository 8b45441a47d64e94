#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/arrivals.h"
#include "hale/base/error.h"
#include "hale/base/quantity.h"
#include "hale/base/time.h"

namespace hale::app {

/// One of several alternatives and its share of the requests, in [0, 1].
struct Portion {
  std::string what;
  double share = 0;
  friend bool operator==(const Portion&, const Portion&) = default;
};

/// What `hale load` is asked to do.
struct LoadOptions {
  std::string authority;  ///< `host:port` of the target
  Rate rate{.permits = 100};
  Duration duration = 10s;
  std::uint32_t connections = 1024;  ///< at most open; what finds none free waits, and that counts
  Arrivals::Kind arrivals = Arrivals::Kind::kConstant;
  std::vector<Portion> methods;  ///< at least one; the shares add up to 1
  std::vector<Portion> paths;    ///< the same
  std::vector<std::string> headers;
  std::uint64_t body_bytes = 64;  ///< of each request that is no GET, HEAD or DELETE
  Duration timeout = 10s;         ///< from the instant a request is due
  std::uint64_t seed = 1;
  std::uint32_t slowest = 10;  ///< requests listed as the slowest
  std::string failures_file;   ///< empty: none
  bool per_second = false;
  bool json = false;
  bool quiet = false;  ///< no progress line
};

/// `POST=10%` and the like, in the order given. Those without a share divide what is left evenly.
/// Fails when the shares do not come to 1 or a share is no share.
Result<std::vector<Portion>> ParsePortions(std::span<const std::string> texts);

/// `http://127.0.0.1:8080/orders`, scheme optional, taken apart.
struct Target {
  std::string authority;
  std::string path;  ///< at least `/`
};
Result<Target> ParseTarget(const std::string& url);

/// Index of the alternative at `unit` in [0, 1) of the cumulated shares.
std::size_t Choose(std::span<const Portion> portions, double unit);

}  // namespace hale::app
