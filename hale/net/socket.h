#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/net/address.h"
#include "hale/net/loop.h"

namespace hale::net {

namespace internal {
class SocketCore;

/// A coroutine waiting for one operation of a socket.
struct Waiter {
  std::coroutine_handle<> who;
  const std::stop_token* stop = nullptr;
};
}  // namespace internal

/// A TCP connection. One read and one write may be under way at a time. A wait that its stop token
/// ends fails with kCancelled, one past its deadline with kDeadlineExceeded, a broken connection
/// with kUnavailable; after any of these only closing makes sense, but a read that timed out may be
/// followed by reads and writes. Never resumes inside the call that causes it. Destroying it closes
/// it; no coroutine may be waiting for it then. Loop-bound.
class Socket {
 public:
  Socket() = default;
  /// Adopts a connected descriptor; it becomes non-blocking and sends without delay.
  Socket(Loop& loop, int descriptor, const Address& peer);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  explicit operator bool() const { return core_ != nullptr; }
  const Address& peer() const;
  Loop& loop() const;

  class [[nodiscard]] ReadAwaiter {
   public:
    ReadAwaiter(internal::SocketCore& core, std::span<char> into, TimePoint deadline)
        : core_(core), into_(into), deadline_(deadline) {}
    bool await_ready();
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) {
      return Suspend({self, self.promise().stop});
    }
    Result<std::size_t> await_resume();

   private:
    bool Suspend(internal::Waiter waiter);
    internal::SocketCore& core_;
    std::span<char> into_;
    TimePoint deadline_;
  };
  /// Bytes read, at least one; 0 at the end of the stream. When StartRead is under way it waits for
  /// that one, whose buffer counts, not `into`.
  ReadAwaiter Read(std::span<char> into, TimePoint deadline = kNever);

  class [[nodiscard]] WriteAwaiter {
   public:
    WriteAwaiter(internal::SocketCore& core, std::span<const char> first,
                 std::span<const char> second, std::span<const char> third, TimePoint deadline)
        : core_(core), pieces_{first, second, third}, deadline_(deadline) {}
    bool await_ready();
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) {
      return Suspend({self, self.promise().stop});
    }
    Result<void> await_resume();

   private:
    friend class internal::SocketCore;
    bool Suspend(internal::Waiter waiter);
    internal::SocketCore& core_;
    std::span<const char> pieces_[3];
    TimePoint deadline_;
  };
  /// Writes all pieces, in one call to the kernel when it takes them. The deadline is for all.
  WriteAwaiter Write(std::span<const char> first, std::span<const char> second = {},
                     std::span<const char> third = {}, TimePoint deadline = kNever);

  /// Told of a read that ended while nobody waited for it.
  class ReadListener {
   public:
    virtual ~ReadListener() = default;
    /// Runs inside the loop, not inside StartRead. The result is then taken by the next Read.
    virtual void OnRead(const Result<std::size_t>& result) = 0;
  };
  /// Begins a read that a later Read waits for; `listener` hears of it if it ends before. Ignored
  /// when one is under way or its result has not been taken.
  void StartRead(std::span<char> into, ReadListener& listener);
  /// A read was started and its result has not been taken.
  bool reading() const;

  /// A write fails with kDeadlineExceeded after so long without progress, whatever its deadline.
  void set_write_patience(Duration patience);
  /// Bytes that the kernel took from us so far, also in the middle of a write.
  std::uint64_t written() const;
  /// Sends FIN after what was written.
  void ShutdownWrite();
  /// Closes with RST: the peer sees that this was no clean end. Waits under way are ended.
  void Abort();
  /// Ends the waits under way with kCancelled.
  void CancelWaits();
  /// Looks without waiting or reading: an idle connection must be kOpen to be used again.
  enum class Idle : std::uint8_t { kOpen, kHasBytes, kClosed };
  Idle Peek() const;
  /// Gives up the descriptor, to adopt it on another loop; this socket is empty afterwards.
  int Release();

 private:
  friend Task<Result<Socket>> Connect(Loop&, Address, TimePoint);
  explicit Socket(internal::SocketCore* core) : core_(core) {}
  internal::SocketCore* core_ = nullptr;
};

/// A connection to `to`, or kDeadlineExceeded, kCancelled, kUnavailable. Loop-bound.
Task<Result<Socket>> Connect(Loop& loop, Address to, TimePoint deadline);

}  // namespace hale::net
