#pragma once

#include <functional>
#include <memory>

#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/net/address.h"
#include "hale/net/loop.h"

namespace hale::net {

enum class ReusePort : bool { kNo, kYes };

/// Accepts TCP connections. When the process is out of descriptors it pauses for 100 ms, leaving
/// them to the kernel's backlog, and says so (kBound, policy `accept`). Loop-bound.
class Listener final {
 public:
  /// A connected descriptor, which the callee owns, and who is at its other end.
  using OnAccept = std::function<void(int descriptor, const Address& peer)>;

  Listener(Loop& loop, OnAccept on_accept, EventSink& events = NullSink());
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds, listens and begins to accept. The address bound, with the port the system chose for 0.
  Result<Address> Listen(const Address& address, ReusePort reuse = ReusePort::kNo);
  /// From here on no connection begins: who asks hears nothing, and is refused when he asks again
  /// after `Finish`. Those that are being set up go on and are accepted.
  void TurnAway();
  /// Accepts what has been set up, then closes: nobody whose connection stands loses it, as long as
  /// there are descriptors.
  void Finish();
  /// Closes; what waits in the backlog is reset.
  void Close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Fails when somebody listens at an address: ReusePort::kYes would share it with them, and with
/// another process as well as with loops of this one. Port 0 is free. Thread-safe.
Result<void> CheckFree(const Address& address);

}  // namespace hale::net
