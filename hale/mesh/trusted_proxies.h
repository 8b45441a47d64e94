#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hale/net/address.h"
#include "hale/net/fields.h"

namespace hale::mesh {

/// Networks whose word about the client's address counts. Immutable.
class TrustedProxies {
 public:
  /// `10.0.0.0/8`, `fd00::/8`; what is no network is ignored (the document has judged it).
  explicit TrustedProxies(const std::vector<std::string>& networks);
  bool Has(const net::Address& address) const;

  /// The address of the client: the peer's, or, when the peer is trusted, the last one in
  /// X-Forwarded-For that is not (RFC 7239 §5.2 and nginx's real_ip_recursive do the same). Reading
  /// stops at the first entry that is no address.
  std::string ClientIp(const net::Address& peer, const net::Fields& fields) const;

 private:
  struct Network {
    net::Address address;
    unsigned bits;
  };
  std::vector<Network> networks_;
};

}  // namespace hale::mesh
