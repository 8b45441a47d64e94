#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/base/time.h"

namespace hale::app {

/// A port of the loopback interface that was free a moment ago.
Result<std::uint16_t> FreePort();

struct DemoAnswer {
  int status = 0;  ///< 0: none came in time
  std::string body;
};

struct DemoRequest {
  std::uint16_t port = 0;
  std::string_view method = "GET";
  std::string_view path = "/";
  Duration timeout = 1s;
};

/// One request to this machine on a connection of its own. Blocks, at most for about twice its
/// timeout; for the demo's own questions, a few a second. Thread-safe.
DemoAnswer Ask(const DemoRequest& request);

}  // namespace hale::app
