#include "hale/net/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "hale/net/loop_access.h"
#include "hale/net/sockaddr.h"

namespace hale::net {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr Duration kPause = 100ms;
constexpr int kBacklog = 4096;  // capped by net.core.somaxconn
constexpr int kAtOnce = 16;     // accepted before others have their turn

std::unexpected<Error> CannotListen(const Address& address, int number) {
  return Fail(Code::kUnavailable,
              "cannot listen on " + address.Text() + ": " + std::system_category().message(number));
}

bool OutOfDescriptors(int number) {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

  Impl(Loop& l, OnAccept callback, EventSink& sink)
      : loop(l),
        acceptor(*static_cast<asio::io_context*>(internal::LoopAccess::Reactor(l))),
        on_accept(std::move(callback)),
        events(sink) {}

  void Await() {
    acceptor.async_wait(Acceptor::wait_read, [self = shared_from_this()](const error_code& error) {
      const internal::LoopAccess::Piece piece(self->loop);
      if (!error) self->AcceptSome();
    });
  }

  void AcceptSome() {
    for (int i = 0; i < kAtOnce && acceptor.is_open(); ++i) {
      internal::SocketAddress peer;
      const int descriptor =
          ::accept4(acceptor.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        on_accept(descriptor, peer.ToAddress());
      } else if (OutOfDescriptors(errno)) {
        Pause(errno);
        return;
      } else if (errno == EAGAIN) {
        break;
      }  // anything else concerns a connection that was gone before it was accepted
    }
    if (acceptor.is_open()) Await();
  }

  void Pause(int number) {
    const std::string why = std::system_category().message(number);
    Event event;
    event.at = loop.Now();
    event.kind = EventKind::kBound;
    event.policy = "accept";
    event.span = kPause;
    event.detail = why;
    events.On(event);
    pause = loop.At(loop.Now() + kPause, [this] {
      pause = Executor::Timer::kNone;
      AcceptSome();
    });
  }

  void Close() {
    loop.Cancel(std::exchange(pause, Executor::Timer::kNone));
    error_code ignored;
    if (acceptor.is_open()) acceptor.close(ignored);
  }

  Loop& loop;
  Acceptor acceptor;
  OnAccept on_accept;
  EventSink& events;
  Executor::Timer pause = Executor::Timer::kNone;
};

Listener::Listener(Loop& loop, OnAccept on_accept, EventSink& events)
    : impl_(std::make_shared<Impl>(loop, std::move(on_accept), events)) {}

Listener::~Listener() { impl_->Close(); }

void Listener::Close() { impl_->Close(); }

Result<void> CheckFree(const Address& address) {
  const int descriptor = ::socket(address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};  // Listen will say so
  const int on = 1;
  // Connections of a former process that are still being closed are nobody who listens.
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const internal::SocketAddress wanted(address);
  const bool taken = ::bind(descriptor, wanted.get(), wanted.size) != 0 && errno == EADDRINUSE;
  ::close(descriptor);
  if (taken) return CannotListen(address, EADDRINUSE);
  return {};
}

Result<Address> Listener::Listen(const Address& address, ReusePort reuse) {
  const auto failed = [&](int number) { return CannotListen(address, number); };
  error_code error;
  impl_->acceptor.open(address.v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), error);
  if (error) return failed(error.value());
  const int descriptor = impl_->acceptor.native_handle();
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (reuse == ReusePort::kYes) {
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  impl_->acceptor.non_blocking(true, error);
  const internal::SocketAddress wanted(address);
  internal::SocketAddress bound;
  if (::bind(descriptor, wanted.get(), wanted.size) != 0 || ::listen(descriptor, kBacklog) != 0 ||
      ::getsockname(descriptor, bound.get(), &bound.size) != 0) {
    const int number = errno;
    impl_->Close();
    return failed(number);
  }
  impl_->Await();
  Address result = bound.ToAddress();
  result.v6 = address.v6;
  return result;
}

}  // namespace hale::net
