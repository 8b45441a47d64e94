#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hale/net/http_head.h"
#include "hale/policy/keyed_hash.h"

namespace hale::mesh {

/// Whose requests take turns as one in a queue: what `routes[].fair_by` says. Immutable.
class FairKey {
 public:
  FairKey() = default;
  /// `by` is valid, see Parse.
  FairKey(std::string_view by, const policy::HashSecret& secret);

  /// Whether `by` is ``, `client_ip` or `header:NAME`. Pure.
  static bool Valid(std::string_view by);

  /// The key of a request, never 0; 0 when nothing is said. Those without the header are one.
  std::uint64_t Of(const net::RequestHead& request, std::string_view client_ip) const;

 private:
  enum class Kind : std::uint8_t { kNone, kClientIp, kHeader };
  Kind kind_ = Kind::kNone;
  std::string header_;
  policy::HashSecret secret_;
};

}  // namespace hale::mesh
