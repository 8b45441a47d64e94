#pragma once

#include <string>

#include "hale/base/error.h"

namespace hale::app {

struct AdminAnswer {
  int status = 0;
  std::string body;
  bool is_admin = false;  ///< it says that it is an admin port of Hale
};

/// What the admin port at `address` (`host:port`) answers to a GET. Fails when nobody can be
/// reached there or answers in a few seconds, or with more than 64 MiB. Blocks; runs a loop of its
/// own.
Result<AdminAnswer> AskAdmin(const std::string& address, const std::string& target);

}  // namespace hale::app
