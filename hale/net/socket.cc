#include "hale/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "hale/net/handler_memory.h"
#include "hale/net/loop_access.h"
#include "hale/net/sockaddr.h"

namespace hale::net {
namespace asio = boost::asio;
using boost::system::error_code;
using internal::SocketCore;

namespace {

// A stream that always has more waits its turn after so many reads in a row: 16 x 16 KiB is about
// 100 us of copying.
constexpr int kReadsInARow = 16;
// The kernel holds no more unsent bytes of ours than this: the watermark of a slow reader.
constexpr int kUnsentBytes = 64 * 1024;

void Configure(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof(kUnsentBytes));
}

std::unexpected<Error> Broken(int number) {
  return Fail(Code::kUnavailable, std::system_category().message(number));
}

}  // namespace

namespace internal {

// The socket behind its handle. It lives until the handle and the last operation are gone, since
// the reactor delivers the end of a cancelled operation in a later turn.
class SocketCore {
 public:
  using Stream = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
  enum class Kind : std::uint8_t { kRead, kWrite, kConnect };
  enum class Ended : std::uint8_t { kNot, kStopped, kTimedOut };

  struct Stop {
    SocketCore& core;
    bool read;
    void operator()() const { core.End(read ? core.read : core.write, Ended::kStopped); }
  };

  struct Operation {
    std::coroutine_handle<> who;
    std::optional<std::stop_callback<Stop>> on_stop;
    TimePoint deadline = kNever;
    Ended ended = Ended::kNot;
    bool pending = false;  // the reactor has it
    bool done = false;     // `error` and `size` hold what nobody has taken yet
    int error = 0;
    std::size_t size = 0;
    HandlerMemory memory;
  };

  struct Handler {
    using allocator_type = HandlerAllocator<void>;
    allocator_type get_allocator() const noexcept;
    Handler(SocketCore& c, bool is_read) : core(&c), read(is_read) { ++c.references_; }
    Handler(Handler&& other) noexcept
        : core(std::exchange(other.core, nullptr)), read(other.read) {}
    ~Handler() {
      if (core != nullptr) core->Unreference();
    }
    void operator()(const error_code& error, std::size_t size = 0);
    SocketCore* core;
    bool read;
  };

  SocketCore(Loop& l, const Address& p)
      : loop(l), stream(*static_cast<asio::io_context*>(LoopAccess::Reactor(l))), peer(p) {
    LoopAccess::CountSocket(loop, 1);
  }
  ~SocketCore() { LoopAccess::CountSocket(loop, -1); }

  int descriptor() { return stream.native_handle(); }

  void Close() {
    loop.Cancel(timer);
    timer = Executor::Timer::kNone;
    error_code ignored;
    if (stream.is_open()) stream.close(ignored);
  }
  void Drop() {
    listener = nullptr;
    Close();
    Unreference();
  }
  void Unreference() {
    if (--references_ == 0) delete this;
  }

  // Ends a wait; its coroutine is resumed when the reactor says so, in a later turn.
  void End(Operation& operation, Ended how) {
    if (!operation.pending || operation.ended != Ended::kNot) return;
    operation.ended = how;
    error_code ignored;
    stream.cancel(ignored);
  }

  bool Suspend(Kind kind, Waiter waiter, TimePoint deadline);
  void StartConnect();
  Result<void> TakeWritten();
  void StartRead(std::span<char> into);
  void StartWrite();
  bool TryRead(std::span<char> into);
  void TryWrite();
  void OnDone(bool is_read, const error_code& error, std::size_t size);
  void WatchDeadlines();

  Loop& loop;
  Stream stream;
  Address peer;
  Operation read;
  Operation write;
  std::span<char> read_into;
  Socket::ReadListener* listener = nullptr;
  std::array<std::span<const char>, 3> unwritten;
  Duration patience = kForever;
  std::uint64_t written = 0;
  Executor::Timer timer = Executor::Timer::kNone;
  TimePoint timer_at = kNever;
  int reads_in_a_row = 0;
  bool maybe_more = true;

 private:
  int references_ = 1;
};

SocketCore::Handler::allocator_type SocketCore::Handler::get_allocator() const noexcept {
  return allocator_type(read ? core->read.memory : core->write.memory);
}

void SocketCore::Handler::operator()(const error_code& error, std::size_t size) {
  core->OnDone(read, error, size);
}

bool SocketCore::Suspend(Kind kind, Waiter waiter, TimePoint deadline) {
  const bool is_read = kind == Kind::kRead;
  Operation& operation = is_read ? read : write;
  if (waiter.stop != nullptr && waiter.stop->stop_requested()) {
    operation.ended = Ended::kStopped;
    return false;
  }
  if (deadline <= loop.Now()) {
    operation.ended = Ended::kTimedOut;
    return false;
  }
  operation.who = waiter.who;
  operation.deadline = deadline;
  if (deadline < timer_at) WatchDeadlines();
  if (!operation.pending) {
    operation.ended = Ended::kNot;
    if (is_read) StartRead(read_into);
    if (kind == Kind::kWrite) StartWrite();
    if (kind == Kind::kConnect) StartConnect();
  }
  if (waiter.stop != nullptr && waiter.stop->stop_possible()) {
    operation.on_stop.emplace(*waiter.stop, Stop{*this, is_read});
  }
  return true;
}

void SocketCore::StartRead(std::span<char> into) {
  read.pending = true;
  read_into = into;
  reads_in_a_row = 0;
  stream.async_read_some(asio::buffer(into.data(), into.size()), Handler(*this, true));
}

void SocketCore::StartWrite() {
  write.pending = true;
  std::array<asio::const_buffer, 3> buffers;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i] = asio::const_buffer(unwritten[i].data(), unwritten[i].size());
  }
  stream.async_write_some(buffers, Handler(*this, false));
}

void SocketCore::StartConnect() {
  write.pending = true;
  unwritten = {};
  const SocketAddress to(peer);
  asio::ip::tcp::endpoint endpoint;
  endpoint.resize(to.size);
  std::memcpy(endpoint.data(), to.get(), to.size);
  stream.async_connect(endpoint, Handler(*this, false));
}

// Whether the result is there without waiting.
bool SocketCore::TryRead(std::span<char> into) {
  if (!maybe_more || ++reads_in_a_row > kReadsInARow) return false;
  const auto size = ::recv(descriptor(), into.data(), into.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    maybe_more = false;
    return false;
  }
  read.done = true;
  read.error = size < 0 ? errno : 0;
  read.size = size < 0 ? 0 : static_cast<std::size_t>(size);
  maybe_more = read.size == into.size();
  return true;
}

void Skip(std::array<std::span<const char>, 3>& pieces, std::size_t size) {
  for (auto& piece : pieces) {
    const std::size_t part = std::min(piece.size(), size);
    piece = piece.subspan(part);
    size -= part;
  }
}

bool Empty(const std::array<std::span<const char>, 3>& pieces) {
  return pieces[0].empty() && pieces[1].empty() && pieces[2].empty();
}

// Gives the kernel what it takes now; `write.done` when that was all, or an error.
void SocketCore::TryWrite() {
  while (!Empty(unwritten)) {
    std::array<iovec, 3> vectors;
    std::size_t count = 0;
    for (const auto& piece : unwritten) {
      if (piece.empty()) continue;
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    // The kernel takes one piece with less ado than a list of one.
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const auto size = count == 1
                          ? ::send(descriptor(), vectors[0].iov_base, vectors[0].iov_len, flags)
                          : ::sendmsg(descriptor(), &message, flags);
    if (size < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      write.error = errno;
      break;
    }
    written += static_cast<std::size_t>(size);
    Skip(unwritten, static_cast<std::size_t>(size));
  }
  write.done = true;
}

void SocketCore::OnDone(bool is_read, const error_code& error, std::size_t size) {
  const LoopAccess::Piece piece(loop);
  Operation& operation = is_read ? read : write;
  operation.pending = false;
  const bool aborted = error == asio::error::operation_aborted;
  if (aborted && operation.ended == Ended::kNot && stream.is_open() && operation.who) {
    // The other operation was cancelled, and the reactor cancels only both.
    is_read ? StartRead(read_into) : StartWrite();
    return;
  }
  if (aborted) {
    // Nobody to tell: a read started ahead was cancelled, or the socket is gone.
    if (!operation.who) return;
    operation.done = operation.ended == Ended::kNot;
    operation.error = ECONNABORTED;
  } else if (is_read) {
    operation.done = true;
    operation.error = error && error != asio::error::eof ? error.value() : 0;
    operation.size = size;
    maybe_more = size == read_into.size();
  } else if (error) {
    operation.done = true;
    operation.error = error.value();
  } else {
    written += size;
    Skip(unwritten, size);
    TryWrite();
    if (!operation.done) {
      if (patience != kForever) operation.deadline = SaturatingAdd(loop.Now(), patience);
      StartWrite();
      return;
    }
  }
  // A result that came in spite of a stop is given out; the next wait will see the stop.
  if (operation.done) operation.ended = Ended::kNot;
  operation.on_stop.reset();
  if (operation.who) {
    std::exchange(operation.who, nullptr).resume();
  } else if (is_read && listener != nullptr) {
    const Result<std::size_t> result =
        read.error != 0 ? Result<std::size_t>(Broken(read.error)) : Result<std::size_t>(size);
    std::exchange(listener, nullptr)->OnRead(result);
  }
}

// One timer for both operations, which is not moved when a deadline moves back: it looks again when
// it fires. A busy connection arms it once a timeout, not once a read.
void SocketCore::WatchDeadlines() {
  const TimePoint next =
      std::min(read.who ? read.deadline : kNever, write.who ? write.deadline : kNever);
  loop.Cancel(timer);
  timer = Executor::Timer::kNone;
  timer_at = next;
  if (next == kNever) return;
  timer = loop.At(next, [this] {
    timer = Executor::Timer::kNone;
    const TimePoint now = loop.Now();
    if (read.who && read.deadline <= now) End(read, Ended::kTimedOut);
    if (write.who && write.deadline <= now) End(write, Ended::kTimedOut);
    if (read.ended != Ended::kNot) read.deadline = kNever;
    if (write.ended != Ended::kNot) write.deadline = kNever;
    WatchDeadlines();
  });
}

}  // namespace internal

Socket::Socket(Loop& loop, int descriptor, const Address& peer)
    : core_(new SocketCore(loop, peer)) {
  error_code error;
  core_->stream.assign(peer.v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor, error);
  if (error) {
    ::close(descriptor);
    return;
  }
  core_->stream.non_blocking(true, error);
  Configure(descriptor);
}

Socket::Socket(Socket&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

Socket::~Socket() {
  if (core_ != nullptr) core_->Drop();
}

const Address& Socket::peer() const { return core_->peer; }
Loop& Socket::loop() const { return core_->loop; }
std::uint64_t Socket::written() const { return core_->written; }
bool Socket::reading() const { return core_->read.pending || core_->read.done; }
void Socket::set_write_patience(Duration patience) { core_->patience = patience; }

Socket::ReadAwaiter Socket::Read(std::span<char> into, TimePoint deadline) {
  return {*core_, into, deadline};
}

bool Socket::ReadAwaiter::await_ready() {
  core_.listener = nullptr;
  if (core_.read.done) return true;
  if (core_.read.pending) return false;
  return core_.TryRead(into_);
}

bool Socket::ReadAwaiter::Suspend(internal::Waiter waiter) {
  if (!core_.read.pending) core_.read_into = into_;
  return core_.Suspend(SocketCore::Kind::kRead, waiter, deadline_);
}

Result<std::size_t> Socket::ReadAwaiter::await_resume() {
  SocketCore::Operation& read = core_.read;
  const SocketCore::Ended ended = std::exchange(read.ended, SocketCore::Ended::kNot);
  if (!std::exchange(read.done, false)) {
    if (ended == SocketCore::Ended::kTimedOut) return Fail(Code::kDeadlineExceeded, "read timeout");
    return Fail(Code::kCancelled, "stopped");
  }
  if (read.error != 0) return Broken(read.error);
  return read.size;
}

Socket::WriteAwaiter Socket::Write(std::span<const char> first, std::span<const char> second,
                                   std::span<const char> third, TimePoint deadline) {
  return {*core_, first, second, third, deadline};
}

bool Socket::WriteAwaiter::await_ready() {
  core_.write.done = false;
  core_.write.error = 0;
  core_.unwritten = {pieces_[0], pieces_[1], pieces_[2]};
  core_.TryWrite();
  return core_.write.done;
}

bool Socket::WriteAwaiter::Suspend(internal::Waiter waiter) {
  const TimePoint patient =
      core_.patience == kForever ? kNever : SaturatingAdd(core_.loop.Now(), core_.patience);
  return core_.Suspend(SocketCore::Kind::kWrite, waiter, std::min(deadline_, patient));
}

Result<void> Socket::WriteAwaiter::await_resume() { return core_.TakeWritten(); }

Result<void> SocketCore::TakeWritten() {
  unwritten = {};
  const Ended ended = std::exchange(write.ended, Ended::kNot);
  if (!std::exchange(write.done, false)) {
    if (ended == Ended::kTimedOut) return Fail(Code::kDeadlineExceeded, "write timeout");
    return Fail(Code::kCancelled, "stopped");
  }
  if (write.error != 0) return Broken(write.error);
  return {};
}

void Socket::StartRead(std::span<char> into, ReadListener& listener) {
  if (reading() || into.empty()) return;
  core_->listener = &listener;
  core_->StartRead(into);
}

void Socket::ShutdownWrite() {
  if (core_->stream.is_open()) ::shutdown(core_->descriptor(), SHUT_WR);
}

void Socket::Abort() {
  if (!core_->stream.is_open()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(core_->descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  core_->Close();
}

void Socket::CancelWaits() {
  core_->End(core_->read, SocketCore::Ended::kStopped);
  core_->End(core_->write, SocketCore::Ended::kStopped);
}

Socket::Idle Socket::Peek() const {
  if (!core_->stream.is_open()) return Idle::kClosed;
  char byte = 0;
  const auto size = ::recv(core_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return Idle::kHasBytes;
  if (size < 0 && errno == EAGAIN) return Idle::kOpen;
  return Idle::kClosed;
}

int Socket::Release() {
  error_code error;
  const int descriptor = core_->stream.release(error);
  std::exchange(core_, nullptr)->Drop();
  return descriptor;
}

namespace {

// A connect under way is the write of a socket that has nothing to write.
class [[nodiscard]] ConnectAwaiter {
 public:
  ConnectAwaiter(SocketCore& core, TimePoint deadline) : core_(core), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return core_.Suspend(SocketCore::Kind::kConnect, {self, self.promise().stop}, deadline_);
  }
  Result<void> await_resume() { return core_.TakeWritten(); }

 private:
  SocketCore& core_;
  TimePoint deadline_;
};

}  // namespace

Task<Result<Socket>> Connect(Loop& loop, Address to, TimePoint deadline) {
  Socket socket(new SocketCore(loop, to));
  SocketCore& core = *socket.core_;
  error_code error;
  core.stream.open(to.v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), error);
  if (error) co_return Broken(error.value());
  Configure(core.descriptor());
  if (auto connected = co_await ConnectAwaiter(core, deadline); !connected) {
    co_return std::unexpected(std::move(connected.error()));
  }
  co_return socket;
}

}  // namespace hale::net
