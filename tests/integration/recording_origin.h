#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hale/base/guarded.h"
#include "wire.h"

namespace hale::test {

/// What an origin does with a request.
struct OriginAnswer {
  enum class Then : std::uint8_t { kKeep, kClose, kReset, kHang };
  OriginAnswer() = default;
  OriginAnswer(std::string b, Then t = Then::kKeep) : bytes(std::move(b)), then(t) {}  // NOLINT

  std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  Then then = Then::kKeep;
  bool before_body = false;  ///< answers as soon as the head is there
  bool held = false;         ///< answers once Release is called
  bool echo_target = false;  ///< answers 200 with the request's target as the body
  std::uint64_t stream = 0;  ///< bytes of Pattern() sent after `bytes`
  std::string later;         ///< sent once Release is called, in a packet of its own
};

/// 64 KiB in which no 256 bytes are alike at two places of their period: what streams consist of.
const std::string& Pattern();

/// A server that answers with scripted bytes and keeps the raw bytes of each request. One thread a
/// connection. Thread-safe.
class RecordingOrigin {
 public:
  struct Request {
    std::string head;
    std::string body;  ///< as it was framed on the wire
    int connection = 0;
    bool whole = false;  ///< its end was seen
  };

  RecordingOrigin();
  ~RecordingOrigin();
  const net::Address& address() const { return port_.address(); }
  /// For requests from here on.
  void Answer(OriginAnswer answer);
  /// For the next request only, after those already queued.
  void AnswerNext(OriginAnswer answer);
  /// Lets the answers go that are held, and those that will be.
  void Release();
  void Clear();
  std::vector<Request> requests();
  /// Connections accepted since Clear.
  int connections();
  /// All that was received, one request after another.
  std::string received();
  /// Waits until `count` connections have ended since Clear, as seen by the origin.
  bool WaitForEnds(int count);
  /// Waits until `count` requests have been received, whole or not.
  bool WaitForRequests(std::size_t count);
  /// Waits until `count` answers have been sent whole since Clear.
  bool WaitForAnswers(int count);
  /// Bytes of streams that have been sent.
  std::uint64_t streamed() const { return streamed_; }

 private:
  struct State {
    OriginAnswer answer;
    std::deque<OriginAnswer> next;
    std::vector<Request> requests;
    int connections = 0;
    int ended = 0;
    int answered = 0;
    bool stopping = false;
  };
  void Serve(Wire wire, int number);
  bool ServeOne(Wire& wire, std::string& unread, int number);
  bool SendStream(Wire& wire, std::uint64_t size);

  Port port_;
  Guarded<State> state_;
  std::atomic<bool> released_{false};
  std::atomic<std::uint64_t> streamed_{0};
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace hale::test
