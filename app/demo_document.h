#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hale::app {

/// Where the demo's gateway finds what, and how it is to behave.
struct DemoPlaces {
  std::uint16_t port = 0;
  std::uint16_t admin = 0;
  std::vector<std::uint16_t> backends;
  std::string access_log;
  bool policies = true;  ///< false: what a proxy does that only forwards, in turn
};

/// What a caller may send in a second before it is refused; each user of the demo sends less.
inline constexpr std::uint32_t kDemoLimit = 250;

/// The document that the demo's gateway serves. Pure.
std::string DemoDocument(const DemoPlaces& places);
/// The same with a key misspelt, as happens. Pure.
std::string WithTypo(std::string document);
/// The same with twice the limit. Pure.
std::string WithTwiceTheLimit(std::string document);

}  // namespace hale::app
