#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/reason.h"
#include "hale/net/http_head.h"

namespace hale::host {

/// Who may use the admin port.
struct AdminRules {
  std::string token = {};               ///< a write must carry it; empty: nobody may write
  std::vector<std::string> hosts = {};  ///< names beside loopback's that a Host header may have
};

/// Whether a route may be used by whoever reaches the port under any name. Only what tells nothing
/// is open: a probe comes under the address of a pod, or any other.
enum class AdminAccess : std::uint8_t { kOpen, kGuarded };

struct AdminRefusal {
  int status = 403;
  Reason reason = Reason::kForbidden;
  std::string message;
};

/// Loopback alone protects from other machines, not from the pages in a browser on this one. So a
/// Host must be a loopback name or a listed one (a page that has its name resolved to 127.0.0.1
/// calls us by its own name), a method that changes something must carry the bearer token, and if
/// it comes from a page, that page's Origin must be us. Pure; the token is compared in constant
/// time.
std::expected<void, AdminRefusal> Admit(const AdminRules& rules, const net::RequestHead& request,
                                        AdminAccess access);

/// `localhost`, 127.0.0.0/8 or `[::1]`, with or without a port. Pure.
bool IsLoopbackName(std::string_view authority);

}  // namespace hale::host
