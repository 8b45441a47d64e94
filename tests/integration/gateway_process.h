#pragma once

#include <sys/types.h>

#include <string>

#include "hale/net/address.h"

namespace hale::test {

/// `hale gateway` as a process of its own in front of one origin, without policies that would act
/// on an origin's faults: what is seen is framing. It ends with this object. Not thread-safe.
class GatewayProcess {
 public:
  /// The binary: $HALE, or `hale` beside this program; empty when there is none.
  static std::string Binary();

  explicit GatewayProcess(const net::Address& origin, Duration per_try = 15s);
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;
  const net::Address& address() const { return address_; }

 private:
  net::Address address_;
  std::string document_;
  pid_t process_ = -1;
};

}  // namespace hale::test
