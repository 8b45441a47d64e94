#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "hale/base/error.h"
#include "hale/base/field.h"

namespace hale::cluster {

/// One running copy of a service, as a registry knows it.
struct Instance {
  std::string address = {};  ///< `host:port`, `[v6]:port`; the identity within a service
  std::string zone = {};     ///< empty: unknown
  double weight = 1;         ///< [0, 1000]; 0 takes no new calls
  std::map<std::string, std::string> metadata = {};

  friend bool operator==(const Instance&, const Instance&) = default;
};

constexpr auto Fields(Type<Instance>) {
  using I = Instance;
  return std::tuple{Field{"address", &I::address, "host:port or [v6]:port"},
                    Field{"zone", &I::zone, "where it runs; empty: unknown"},
                    Field{"weight", &I::weight, 0, 1000, "its share; 0 takes no new calls"},
                    Field{"metadata", &I::metadata, "words that the registry carries along"}};
}

/// In a document an address alone stands for an instance.
constexpr std::string_view Shorthand(Type<Instance>) { return "address"; }

/// Says what is wrong with `host:port`, `1.2.3.4:port` or `[v6]:port`; the port is 1 to 65535.
/// Looks nothing up. Pure.
Result<void> CheckAddress(std::string_view address);

/// The same for a whole instance. Pure.
Result<void> Check(const Instance& instance);

}  // namespace hale::cluster
