#include "recording_origin.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "hale/net/http1_body.h"
#include "hale/net/http1_syntax.h"

namespace hale::test {
namespace {

// The framing of a request whose head is known to be well formed: it came from what is under test.
net::Framing FramingOf(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = std::min(head.find("\r\n", at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    at = end + 2;
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    if (net::EqualsIgnoringCase(name, "transfer-encoding")) return net::Framing::Chunked();
    if (net::EqualsIgnoringCase(name, "content-length")) {
      return net::Framing::Length(
          net::ParseLength(net::TrimSpace(line.substr(colon + 1))).value_or(0));
    }
  }
  return {};
}

std::string Echo(std::string_view head) {
  const std::size_t begin = head.find(' ') + 1;
  const std::string target(head.substr(begin, head.find(' ', begin) - begin));
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" +
         target;
}

}  // namespace

const std::string& Pattern() {
  static const std::string pattern = [] {
    std::string bytes(64 * 1024, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    }
    return bytes;
  }();
  return pattern;
}

RecordingOrigin::RecordingOrigin() {
  acceptor_ = std::thread([this] {
    for (;;) {
      const int descriptor = port_.Accept();
      if (descriptor < 0) return;
      const int number = state_.With([](State& state) { return state.connections++; });
      threads_.emplace_back([this, descriptor, number] { Serve(Wire(descriptor), number); });
    }
  });
}

RecordingOrigin::~RecordingOrigin() {
  state_.Lock()->stopping = true;
  Release();
  port_.Shutdown();
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
}

void RecordingOrigin::Answer(OriginAnswer answer) { state_.Lock()->answer = std::move(answer); }

void RecordingOrigin::AnswerNext(OriginAnswer answer) {
  state_.Lock()->next.push_back(std::move(answer));
}

void RecordingOrigin::Release() {
  released_ = true;
  released_.notify_all();
}

void RecordingOrigin::Clear() {
  const auto state = state_.Lock();
  state->requests.clear();
  state->connections = 0;
  state->ended = 0;
  state->answered = 0;
}

std::vector<RecordingOrigin::Request> RecordingOrigin::requests() {
  return state_.Lock()->requests;
}

int RecordingOrigin::connections() { return state_.Lock()->connections; }

std::string RecordingOrigin::received() {
  std::string all;
  for (const auto& request : requests()) all += request.head + request.body;
  return all;
}

bool RecordingOrigin::WaitForEnds(int count) {
  return Eventually([&] { return state_.Lock()->ended >= count; });
}

bool RecordingOrigin::WaitForRequests(std::size_t count) {
  return Eventually([&] { return state_.Lock()->requests.size() >= count; });
}

void RecordingOrigin::Serve(Wire wire, int number) {
  std::string unread;
  while (ServeOne(wire, unread, number)) {
  }
  ++state_.Lock()->ended;
}

bool RecordingOrigin::WaitForAnswers(int count) {
  return Eventually([&] { return state_.Lock()->answered >= count; });
}

bool RecordingOrigin::SendStream(Wire& wire, std::uint64_t size) {
  const std::string_view pattern = Pattern();
  for (std::uint64_t sent = 0; sent < size;) {
    const auto part = std::min<std::uint64_t>(pattern.size(), size - sent);
    if (!wire.Send(pattern.substr(0, part))) return false;
    sent += part;
    streamed_ += part;
  }
  return true;
}

bool RecordingOrigin::ServeOne(Wire& wire, std::string& unread, int number) {
  const auto stopping = [this] { return state_.Lock()->stopping; };
  Request request;
  request.connection = number;
  std::size_t end = 0;
  while ((end = unread.find("\r\n\r\n")) == std::string::npos) {
    unread += wire.ReadSome(64 * 1024, 20ms);
    if (wire.ended() != Ended::kOpen || stopping()) return false;
  }
  request.head = unread.substr(0, end + 4);
  unread.erase(0, end + 4);
  OriginAnswer answer = state_.With([](State& state) {
    if (state.next.empty()) return state.answer;
    OriginAnswer next = std::move(state.next.front());
    state.next.pop_front();
    return next;
  });
  if (answer.echo_target) answer.bytes = Echo(request.head);
  if (answer.before_body) wire.Send(answer.bytes);
  net::BodyReader body;
  body.Begin(FramingOf(request.head));
  while (!body.complete()) {
    const auto piece = body.Take(unread);
    if (!piece) break;
    request.body += unread.substr(0, piece->consumed);
    unread.erase(0, piece->consumed);
    if (body.complete() || piece->consumed > 0) continue;
    unread += wire.ReadSome(64 * 1024, 20ms);
    if (wire.ended() != Ended::kOpen || stopping()) break;
  }
  const bool whole = request.whole = body.complete();
  state_.Lock()->requests.push_back(std::move(request));
  if (!whole) return false;
  if (answer.held) released_.wait(false);
  if (!answer.before_body) wire.Send(answer.bytes);
  if (answer.stream > 0 && !SendStream(wire, answer.stream)) return false;
  if (!answer.later.empty()) {
    released_.wait(false);
    wire.Send(answer.later);
  }
  ++state_.Lock()->answered;
  using Then = OriginAnswer::Then;
  if (answer.then == Then::kReset) wire.Reset();
  while (answer.then == Then::kHang && wire.ended() == Ended::kOpen && !stopping()) {
    wire.ReadSome(1024, 20ms);
  }
  return answer.then == Then::kKeep;
}

}  // namespace hale::test
