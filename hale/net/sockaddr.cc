#include "hale/net/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace hale::net::internal {

SocketAddress::SocketAddress(const Address& address) {
  if (address.v6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(address.port);
    std::memcpy(&to.sin6_addr, address.bytes.data(), sizeof(to.sin6_addr));
    std::memcpy(&storage, &to, sizeof(to));
    size = sizeof(to);
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    std::memcpy(&to.sin_addr, address.bytes.data(), sizeof(to.sin_addr));
    std::memcpy(&storage, &to, sizeof(to));
    size = sizeof(to);
  }
}

SocketAddress::SocketAddress(const sockaddr* from, socklen_t length)
    : size(std::min<socklen_t>(length, sizeof(storage))) {
  std::memcpy(&storage, from, size);
}

Address SocketAddress::ToAddress() const {
  Address address;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 from{};
    std::memcpy(&from, &storage, sizeof(from));
    address.port = ntohs(from.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&from.sin6_addr)) {
      // A client of IPv4 on a socket of both is the same client as on one of IPv4.
      std::memcpy(address.bytes.data(), from.sin6_addr.s6_addr + 12, 4);
    } else {
      address.v6 = true;
      std::memcpy(address.bytes.data(), &from.sin6_addr, sizeof(from.sin6_addr));
    }
  } else if (storage.ss_family == AF_INET) {
    sockaddr_in from{};
    std::memcpy(&from, &storage, sizeof(from));
    address.port = ntohs(from.sin_port);
    std::memcpy(address.bytes.data(), &from.sin_addr, sizeof(from.sin_addr));
  }
  return address;
}

}  // namespace hale::net::internal
