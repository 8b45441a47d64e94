#include "hale/net/listener.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
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
    if (const int number = AcceptUpTo(kAtOnce); number != 0) {
      Pause(number);
    } else if (acceptor.is_open()) {
      Await();
    }
  }

  // The system's number for what is missing, once there are no descriptors left.
  int AcceptUpTo(int most) {
    for (int i = 0; i < most && acceptor.is_open(); ++i) {
      internal::SocketAddress peer;
      const int descriptor =
          ::accept4(acceptor.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        on_accept(descriptor, peer.ToAddress());
      } else if (OutOfDescriptors(errno)) {
        return errno;
      } else if (errno == EAGAIN) {
        break;
      }  // anything else concerns a connection that was gone before it was accepted
    }
    return 0;
  }

  void TurnAway() {
    // A segment that begins a connection (SYN without ACK, RFC 9293 3.5) is dropped before the
    // kernel answers it; offset 13 of its header holds the flags.
    std::array<sock_filter, 5> program = {{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
                                           {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},
                                           {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02},
                                           {BPF_RET | BPF_K, 0, 0, 0},
                                           {BPF_RET | BPF_K, 0, 0, 0xffffffff}}};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    // Where a kernel refuses filters, a connection that is being set up at the end is reset.
    setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
  }

  void Finish() {
    TurnAway();
    AcceptUpTo(kBacklog);
    Close();
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

void Listener::TurnAway() { impl_->TurnAway(); }
void Listener::Finish() { impl_->Finish(); }
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
