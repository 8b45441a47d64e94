#pragma once

#include <cstdint>
#include <string_view>

namespace hale::policy {

/// Where an instance stands, for whoever divides calls among groups of them.
struct Place {
  std::string_view zone = {};  ///< empty: unknown
  std::uint32_t group = 0;     ///< of priority; 0 comes first
  double weight = 1;           ///< [0, …)
  bool usable = true;          ///< it is neither dead nor left out
};

}  // namespace hale::policy
