#pragma once

#include <string>

#include "hale/base/error.h"

namespace hale::app {

struct AdminAnswer {
  int status = 0;
  std::string body;
};

/// What the admin port at `address` (`host:port`) answers to a GET. Fails when nobody can be
/// reached there or answers in a few seconds. Blocks; runs a loop of its own.
Result<AdminAnswer> AskAdmin(const std::string& address, const std::string& target);

}  // namespace hale::app
