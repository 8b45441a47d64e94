#include "wire.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "hale/net/sockaddr.h"

namespace hale::test {

bool Accepts(const net::Address& address) {
  const net::internal::SocketAddress to(address);
  const int descriptor = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(descriptor, to.get(), to.size) == 0;
  ::close(descriptor);
  return connected;
}

Wire Wire::To(const net::Address& address) {
  const net::internal::SocketAddress to(address);
  const int descriptor = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(descriptor, to.get(), to.size), 0) << address.Text();
  return Wire(descriptor);
}

Wire::Wire(Wire&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), ended_(other.ended_) {}

Wire::~Wire() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Wire::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void Wire::HalfClose() { ::shutdown(descriptor_, SHUT_WR); }

void Wire::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(std::exchange(descriptor_, -1));
}

void Wire::SetReceiveBuffer(int bytes) {
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

std::string Wire::ReadSome(std::size_t most, Duration patience) {
  pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  if (::poll(&waiting, 1, static_cast<int>(milliseconds)) <= 0) return {};
  std::string bytes(most, '\0');
  const auto size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (size <= 0) ended_ = size == 0 ? Ended::kClosed : Ended::kReset;
  bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return bytes;
}

std::string Wire::ReadAll(Duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string all;
  while (ended_ == Ended::kOpen) {
    const Duration left = end - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) break;
    all += ReadSome(64 * 1024, left);
  }
  return all;
}

std::string Wire::ReadUntil(std::string_view mark, Duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string all;
  while (ended_ == Ended::kOpen && all.find(mark) == std::string::npos) {
    const Duration left = end - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) break;
    all += ReadSome(1, left);
  }
  return all;
}

Port::Port() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const net::internal::SocketAddress any(net::Address::Loopback());
  net::internal::SocketAddress bound;
  EXPECT_EQ(::bind(descriptor_, any.get(), any.size), 0);
  EXPECT_EQ(::listen(descriptor_, 128), 0);
  EXPECT_EQ(::getsockname(descriptor_, bound.get(), &bound.size), 0);
  address_ = bound.ToAddress();
}

Port::~Port() { ::close(descriptor_); }
int Port::Accept() { return ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC); }
void Port::Shutdown() { ::shutdown(descriptor_, SHUT_RDWR); }

}  // namespace hale::test
