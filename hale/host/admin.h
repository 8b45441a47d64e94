#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hale/host/admin_guard.h"
#include "hale/net/http_head.h"

namespace hale::host {

/// What a handler of the admin port is asked. The head and the body outlive the call.
struct AdminRequest {
  const net::RequestHead& head;
  std::string_view body = {};

  /// The value of a query parameter, percent-decoded (`+` stays a plus); nothing when absent.
  std::optional<std::string> Query(std::string_view name) const;
};

struct AdminResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Reason reason = Reason::kNone;  ///< of a refusal: its `hale-reason`
  std::string allow = {};         ///< of a 405: the methods there are
};

/// `{"error": message, "reason": word}` with a status. Pure.
AdminResponse AdminError(int status, Reason reason, std::string_view message);

/// One thing that the admin port can do.
struct AdminRoute {
  std::string method;  ///< `GET` serves HEAD too; any other changes something
  std::string path;    ///< exact
  std::string about;   ///< for the index at `/`
  std::function<AdminResponse(const AdminRequest&)> handle;
  AdminAccess access = AdminAccess::kGuarded;
};

/// The admin port without its socket: finds the route, keeps out who may not use it, answers.
/// `/` lists the routes. Thread-safe as far as its handlers are.
class Admin {
 public:
  Admin(AdminRules rules, std::vector<AdminRoute> routes);
  AdminResponse Answer(const AdminRequest& request) const;

 private:
  AdminResponse Index() const;

  const AdminRules rules_;
  const std::vector<AdminRoute> routes_;
};

}  // namespace hale::host
