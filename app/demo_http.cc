#include "app/demo_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "hale/base/clock.h"

namespace hale::app {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{16} << 20;

class Socket final {
 public:
  Socket() : file_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (file_ >= 0) close(file_);
  }
  int file() const { return file_; }

 private:
  int file_;
};

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void SetTimeout(int file, Duration timeout) {
  const auto micros = timeout / 1us;
  const timeval value{.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
  setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

}  // namespace

Result<std::uint16_t> FreePort() {
  const Socket socket;
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(socket.file(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(socket.file(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Fail(Code::kUnavailable, std::string("no free port: ") + std::strerror(errno));
  }
  return ntohs(address.sin_port);
}

DemoAnswer Ask(const DemoRequest& request) {
  const Socket socket;
  SetTimeout(socket.file(), request.timeout);
  const sockaddr_in address = Loopback(request.port);
  if (connect(socket.file(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return {};
  }
  std::string text(request.method);
  text.append(" ").append(request.path).append(" HTTP/1.1\r\nHost: 127.0.0.1:");
  text.append(std::to_string(request.port)).append("\r\nConnection: close\r\n");
  text.append("Content-Length: 0\r\n\r\n");
  if (send(socket.file(), text.data(), text.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(text.size())) {
    return {};
  }
  const TimePoint patience = SaturatingAdd(RealClock().Now(), request.timeout);
  std::string answer;
  std::array<char, 16384> piece;
  while (true) {
    const ssize_t got = recv(socket.file(), piece.data(), piece.size(), 0);
    if (got == 0) break;
    if (got < 0 && errno == EINTR && RealClock().Now() < patience) continue;
    if (got < 0 || RealClock().Now() >= patience || answer.size() > kLargestAnswer) return {};
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  // `HTTP/1.1 200 ...`: of our own servers, whose answers to the likes of this have a length.
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos || answer.size() < 12) return {};
  DemoAnswer result;
  result.status = std::atoi(answer.c_str() + 9);
  result.body = answer.substr(head + 4);
  return result;
}

}  // namespace hale::app
