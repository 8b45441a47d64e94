#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/admin_ask.h"

namespace hale::app {

struct ExplainOptions {
  std::string id;  ///< a request id or trace id; empty: the latest
  std::string admin = "127.0.0.1:9901";
  std::uint32_t limit = 20;
  bool json = false;
};

/// What the admin port is asked for. Pure.
std::string ExplainTarget(const ExplainOptions& options);

/// What the command prints, where, and its exit code.
struct Explained {
  int exit_code = 0;
  std::string text;  ///< exit code 0: on standard output, else on standard error

  friend bool operator==(const Explained&, const Explained&) = default;
};

/// Turns what the admin port answered, or that it did not, into that. Pure.
Explained Explain(const ExplainOptions& options, const Result<AdminAnswer>& answer);

}  // namespace hale::app
