#pragma once

#include <compare>
#include <map>
#include <string>

namespace hale::cluster {

/// One running copy of a service, as a registry knows it.
struct Instance {
  std::string address;  ///< `host:port`, `[v6]:port`; the identity within a service
  std::string zone;     ///< empty: unknown
  double weight = 1;    ///< [0, 1000]; 0 takes no new calls
  std::map<std::string, std::string> metadata;

  friend bool operator==(const Instance&, const Instance&) = default;
};

}  // namespace hale::cluster
