#pragma once

#include <sys/socket.h>

#include "hale/net/address.h"

namespace hale::net::internal {

/// An address as the kernel takes and gives it. Pure.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const Address& address);
  explicit SocketAddress(const sockaddr* from, socklen_t length);
  Address ToAddress() const;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

}  // namespace hale::net::internal
