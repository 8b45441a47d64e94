#include "hale/net/server_connection.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hale/net/http1_parser.h"
#include "hale/net/http1_writer.h"

namespace hale::net {
namespace {

// Less room than this is not worth a read ahead.
constexpr std::size_t kWorthReading = 1024;
// An unread body of a finished exchange is read past up to here, to keep the connection.
constexpr std::uint64_t kDrainBytes = 256 * 1024;
constexpr Duration kDrainTime = 5s;
// A request that was on its way when we began to drain has arrived by then.
constexpr Duration kDrainPatience = 1s;
// After the last response: until the client has seen it (RFC 9112 §9.6), but no longer or more.
constexpr Duration kLingerTime = 2s;
constexpr std::uint64_t kLingerBytes = 1024 * 1024;

}  // namespace

ServerConnection::ServerConnection(std::shared_ptr<HttpServer::Impl> server, Socket socket)
    : server_(std::move(server)),
      socket_(std::move(socket)),
      scanner_(HeadScanner::Of::kRequest, server_->options.head) {
  place_ = server_->open.insert(server_->open.end(), this);
  server_->count.fetch_add(1, std::memory_order_relaxed);
}

ServerConnection::~ServerConnection() {
  server_->open.erase(place_);
  if (server_->count.fetch_sub(1, std::memory_order_relaxed) <= options().max_connections) {
    server_->full = false;
  }
}

Task<void> ServerConnection::Run() {
  while (co_await ReadRequest()) {
    BeginExchange();
    ServerExchange exchange(*this);
    co_await server_->handler.Handle(exchange);
    if (!co_await EndExchange()) break;
  }
}

void ServerConnection::AbortNow() {
  aborted_ = true;
  LoseClient();
  socket_.Abort();
}

void ServerConnection::CloseIfIdle() {
  if (phase_ == Phase::kIdle) socket_.CancelWaits();
}

Task<Result<std::size_t>> ServerConnection::ReadMore(TimePoint deadline, std::size_t most) {
  // While a read is under way the buffer must stay where it is.
  if (!socket_.reading()) in_.MakeRoom(most);
  auto read = co_await socket_.Read(in_.free(), deadline);
  if (read) in_.Commit(*read);
  co_return read;
}

// False when there will be no further request; it is answered then, if it must be.
Task<bool> ServerConnection::ReadRequest() {
  scanner_ = HeadScanner(HeadScanner::Of::kRequest, options().head);
  phase_ = Phase::kIdle;
  consumed_ = 0;
  const std::size_t most = options().head.bytes + InputBuffer::kSize;
  TimePoint deadline = SaturatingAdd(socket_.loop().Now(), options().idle_timeout);
  if (draining()) {
    // A connection that was accepted just now still gets the time to say what it wants.
    const TimePoint soon = SaturatingAdd(socket_.loop().Now(), kDrainPatience);
    deadline = std::min(deadline, std::max(*server_->draining_until, soon));
  }
  for (;;) {
    if (phase_ == Phase::kIdle && !in_.unread().empty()) {
      phase_ = Phase::kReading;
      started_ = socket_.loop().Now();
      deadline = SaturatingAdd(started_, options().header_timeout);
    }
    auto size = scanner_.Scan(in_.unread());
    if (size && *size > 0) {
      const std::string_view head = in_.unread().substr(scanner_.start(), *size - scanner_.start());
      const Judged judged = ParseRequestHead(head, options().head, request_);
      in_.Consume(*size);
      consumed_ = *size;
      if (judged) break;
      size = std::unexpected(judged.error());
    }
    if (!size) {
      co_await Refuse(size.error());
      co_return false;
    }
    const auto read = co_await ReadMore(deadline, most);
    if (read && *read > 0) continue;
    const bool timed_out = !read && read.error().code == Code::kDeadlineExceeded;
    if (timed_out && phase_ == Phase::kReading) {
      const Verdict late{
          .status = 408, .reason = Reason::kClientTimeout, .sentence = "the header took too long"};
      co_await Refuse(late);
    } else if (!read && draining() && socket_.Peek() == Socket::Idle::kHasBytes) {
      continue;  // it was sent before we closed, so it is answered
    }
    co_return false;
  }
  if (request_.framing.kind == Framing::Kind::kLength &&
      request_.framing.length > options().body_bytes) {
    const Verdict large{
        .status = 413, .reason = Reason::kBodyTooLarge, .sentence = "the body is over its limit"};
    co_await Refuse(large);
    co_return false;
  }
  co_return true;
}

void ServerConnection::BeginExchange() {
  phase_ = Phase::kHandling;
  body_.Begin(request_.framing);
  handed_ = 0;
  body_read_ = 0;
  written_before_ = socket_.written();
  status_ = 0;
  close_ = !request_.keep_alive;
  must_continue_ = request_.expects_continue;
  socket_.set_write_patience(options().write_timeout);
  Watch();
}

// A read is under way while the handler works, so that a client that is gone is noticed, and what
// it sends ahead is taken in as far as the buffer goes.
void ServerConnection::Watch() {
  if (socket_.reading()) return;
  if (handed_ == 0) in_.MakeRoom(InputBuffer::kSize);
  if (in_.free().size() >= kWorthReading) socket_.StartRead(in_.free(), *this);
}

void ServerConnection::OnRead(const Result<std::size_t>& result) {
  // The end of its stream is no end of the exchange: a client may half-close after its request
  // (RFC 9112 §9.6).
  if (!result) LoseClient();
}

void ServerConnection::LoseClient() {
  lost_ = true;
  stop_.request_stop();
}

std::unexpected<Error> ServerConnection::Violate(Verdict verdict) {
  violation_ = verdict;
  close_ = true;
  return Fail(verdict.reason, Executed::kMaybe, std::string(verdict.sentence));
}

Task<Result<void>> ServerConnection::SendContinue() {
  must_continue_ = false;
  out_ = "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await Send({}, {});
}

Task<Result<void>> ServerConnection::SendInformational(ResponseHead head) {
  if (phase_ != Phase::kHandling || request_.version == Version::kHttp10) co_return Result<void>();
  if (head.status == 100) must_continue_ = false;
  out_.clear();
  AppendResponseHead(out_, head, Framing(), ConnectionField::kNone);
  co_return co_await Send({}, {});
}

Task<Result<std::span<const char>>> ServerConnection::ReadBody() {
  in_.Consume(std::exchange(handed_, 0));
  if (violation_) co_return Violate(*violation_);
  while (!body_.complete()) {
    auto piece = body_.Take(in_.unread());
    if (!piece) co_return Violate(piece.error());
    consumed_ += piece->consumed;
    body_read_ += piece->data.size();
    if (body_read_ > options().body_bytes) {
      const Verdict large{
          .status = 413, .reason = Reason::kBodyTooLarge, .sentence = "the body is over its limit"};
      co_return Violate(large);
    }
    if (!piece->data.empty()) {
      handed_ = piece->consumed;
      Watch();
      co_return std::span<const char>(piece->data);
    }
    in_.Consume(piece->consumed);
    if (body_.complete()) break;
    if (must_continue_ && phase_ == Phase::kHandling) {
      if (auto sent = co_await SendContinue(); !sent) co_return std::unexpected(sent.error());
    }
    const auto read = co_await ReadMore(SaturatingAdd(socket_.loop().Now(), options().body_timeout),
                                        InputBuffer::kSize);
    if (read && *read > 0) continue;
    if (!read && read.error().code == Code::kDeadlineExceeded) {
      const Verdict late{
          .status = 408, .reason = Reason::kClientTimeout, .sentence = "the body took too long"};
      co_return Violate(late);
    }
    // Stopped by who reads: the client is still there, and may be read from again and answered.
    if (!read && read.error().code == Code::kCancelled) co_return std::unexpected(read.error());
    LoseClient();
    co_return Fail(Reason::kClientAbort, Executed::kMaybe);
  }
  Watch();
  co_return std::span<const char>();
}

void ServerConnection::Respond(const ResponseHead& head, Framing framing) {
  using Kind = Framing::Kind;
  const bool old = request_.version == Version::kHttp10;
  const bool follows = HasBody(request_.method, head.status);
  if (framing.kind == Kind::kChunked && old) framing = Framing::UntilClose();
  if (framing.kind == Kind::kUntilClose && !old) framing = Framing::Chunked();
  if (framing.kind == Kind::kNone && follows) framing = Framing::Length(0);
  if (framing.kind == Kind::kUntilClose && follows) close_ = true;
  // A client that waits for 100 Continue may send its body or not: where the next request begins
  // could not be known.
  if (draining() || (must_continue_ && !body_.complete())) close_ = true;
  Framing declared = framing;
  if (head.status < 200 || head.status == 204) declared = Framing();
  ConnectionField connection = ConnectionField::kNone;
  if (close_) {
    connection = ConnectionField::kClose;
  } else if (old) {
    connection = ConnectionField::kKeepAlive;
  }
  out_.clear();
  AppendResponseHead(out_, head, declared, connection);
  writer_.Begin(framing, follows);
  status_ = head.status;
  phase_ = Phase::kResponding;
}

Task<Result<void>> ServerConnection::Write(std::span<const char> data, BodyWriter::Last last) {
  if (phase_ != Phase::kResponding) {
    co_return Fail(Code::kFailedPrecondition, "no response is under way");
  }
  if (lost_ || aborted_) co_return Fail(Reason::kClientAbort, Executed::kMaybe);
  const auto after = writer_.Add(out_, data, last);
  if (!after) co_return std::unexpected(after.error());
  if (last == BodyWriter::Last::kYes) phase_ = Phase::kFinished;
  co_return co_await Send(writer_.sent() ? data : std::span<const char>(), *after);
}

Task<Result<void>> ServerConnection::Send(std::span<const char> data, std::string_view after) {
  if (out_.empty() && data.empty() && after.empty()) co_return Result<void>();
  if (GatherSmall(out_, data, after)) {
    data = {};
    after = {};
  }
  auto sent = co_await socket_.Write(out_, data, after);
  out_.clear();
  if (!sent) {
    aborted_ = true;  // also after a timeout or a stop: what is missing cannot be made up
    LoseClient();
    co_return Fail(Reason::kClientAbort, Executed::kMaybe, std::move(sent.error().message));
  }
  co_return sent;
}

// True when the connection can carry another request.
Task<bool> ServerConnection::EndExchange() {
  if (!aborted_ && !lost_ && phase_ == Phase::kHandling && violation_) {
    co_await Refuse(*violation_);
    co_return false;
  }
  if (aborted_ || lost_ || phase_ != Phase::kFinished) {
    socket_.Abort();
    co_return false;
  }
  if (!close_) {
    const bool drained = co_await DrainBody();
    close_ = !drained;
  }
  if (close_) co_await Linger();
  co_return !close_;
}

Task<bool> ServerConnection::DrainBody() {
  in_.Consume(std::exchange(handed_, 0));
  const TimePoint deadline = SaturatingAdd(socket_.loop().Now(), kDrainTime);
  std::uint64_t drained = 0;
  while (!body_.complete() && drained < kDrainBytes) {
    const auto piece = body_.Take(in_.unread());
    if (!piece) co_return false;
    drained += piece->consumed;
    in_.Consume(piece->consumed);
    if (body_.complete() || piece->consumed > 0) continue;
    const auto read = co_await ReadMore(deadline, InputBuffer::kSize);
    if (!read || *read == 0) co_return false;
  }
  co_return body_.complete();
}

Task<void> ServerConnection::Refuse(Verdict verdict) {
  ResponseHead head;
  head.status = verdict.status;
  head.fields.Append("hale-reason", Word(verdict.reason));
  head.fields.Append("Content-Type", "text/plain");
  std::string body(verdict.sentence);
  body.push_back('\n');
  out_.clear();
  AppendResponseHead(out_, head, Framing::Length(body.size()), ConnectionField::kClose);
  // Of an exchange its handler has told already.
  if (phase_ != Phase::kHandling) server_->handler.OnRefused(socket_.peer(), verdict);
  socket_.set_write_patience(kLingerTime);
  const auto sent = co_await socket_.Write(out_, body);
  if (sent) co_await Linger();
}

// A close with bytes unread makes the kernel send RST, which can overtake the response.
Task<void> ServerConnection::Linger() {
  socket_.ShutdownWrite();
  const TimePoint deadline = SaturatingAdd(socket_.loop().Now(), kLingerTime);
  std::uint64_t read_past = 0;
  while (read_past < kLingerBytes) {
    in_.Consume(in_.unread().size());
    const auto read = co_await ReadMore(deadline, InputBuffer::kSize);
    if (!read || *read == 0) co_return;
    read_past += *read;
  }
}

}  // namespace hale::net
