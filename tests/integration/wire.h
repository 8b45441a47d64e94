#pragma once

#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "hale/net/address.h"

namespace hale::test {

/// Whether somebody accepts connections there.
bool Accepts(const net::Address& address);

/// How a peer ended a connection.
enum class Ended : std::uint8_t { kOpen, kClosed, kReset };

/// Asks every 5 ms for up to 5 s; whether it came true.
template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

/// Waits until what `count` gives has grown and then stands still for 50 ms; whether it did.
template <class Count>
bool StandsStill(Count count) {
  auto last = count();
  return Eventually([&] {
    std::this_thread::sleep_for(50ms);
    const auto before = std::exchange(last, count());
    return last > 0 && last == before;
  });
}

/// A blocking connection of raw bytes, for tests that say exactly what is on the wire.
/// Not thread-safe.
class Wire {
 public:
  explicit Wire(int descriptor) : descriptor_(descriptor) {}
  static Wire To(const net::Address& address);
  Wire(Wire&& other) noexcept;
  ~Wire();

  /// False when the peer does not take it.
  bool Send(std::string_view bytes);
  /// FIN: no more from here, but the answer is still wanted.
  void HalfClose();
  /// RST.
  void Reset();
  /// Everything up to the end of the stream, or what came within `patience`.
  std::string ReadAll(Duration patience = 5s);
  /// What has come, up to and with `mark`, or less when the stream ends or `patience` does.
  std::string ReadUntil(std::string_view mark, Duration patience = 5s);
  /// At least one byte and at most `most`; empty at the end.
  std::string ReadSome(std::size_t most, Duration patience = 5s);
  /// As seen by the last read.
  Ended ended() const { return ended_; }
  void SetReceiveBuffer(int bytes);

 private:
  int descriptor_;
  Ended ended_ = Ended::kOpen;
};

/// A listening socket on a free loopback port. Not thread-safe.
class Port {
 public:
  Port();
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  const net::Address& address() const { return address_; }
  /// The descriptor of the next connection; -1 once closed.
  int Accept();
  /// Ends Accept, from any thread.
  void Shutdown();

 private:
  int descriptor_;
  net::Address address_;
};

}  // namespace hale::test
