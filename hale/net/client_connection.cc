#include "hale/net/client_connection.h"

#include <algorithm>
#include <utility>

#include "hale/net/http1_parser.h"
#include "hale/net/http1_syntax.h"
#include "hale/net/http1_writer.h"

namespace hale::net {
namespace {

// An instance that sends 1xx without end is broken; real ones send one or two.
constexpr int kMostInformational = 16;

}  // namespace

ClientConnection::ClientConnection(std::shared_ptr<ConnectionPool::Impl> pool, Socket socket)
    : pool_(std::move(pool)),
      socket_(std::move(socket)),
      scanner_(HeadScanner::Of::kResponse, pool_->options.head) {}

ClientConnection::~ClientConnection() { pool_->limit.Give(); }

void ClientConnection::Begin(TimePoint deadline) {
  deadline_ = deadline;
  bytes_ = nullptr;
  informational_ = nullptr;
  scanner_ = HeadScanner(HeadScanner::Of::kResponse, pool_->options.head);
  begun_ = {};
  handed_ = 0;
  read_ = 0;
  written_before_ = socket_.written();
  ++exchanges_;
  request_ended_ = false;
  has_head_ = false;
  response_.Clear();
  body_.Begin(Framing::UntilClose());
}

void ClientConnection::End(std::unique_ptr<ClientConnection> connection) {
  connection->in_.Consume(std::exchange(connection->handed_, 0));
  if (connection->IsClean()) {
    const auto pool = connection->pool_;
    pool->Return(std::move(connection));
  } else if (!connection->request_ended_ || !connection->body_.complete()) {
    // In the middle of a message: the peer must not take what it got for all.
    connection->socket_.Abort();
  }
}

bool ClientConnection::IsClean() const {
  return !failed_ && request_ended_ && has_head_ && body_.complete() && response_.keep_alive &&
         in_.unread().empty() && !socket_.reading();
}

void ClientConnection::Rest() {
  idle_since_ = socket_.loop().Now();
  in_.MakeRoom(InputBuffer::kSize);
  socket_.StartRead(in_.free(), *this);
}

void ClientConnection::OnRead(const Result<std::size_t>& result) {
  const auto pool = pool_;
  pool->OnIdleRead(*this, !result || *result == 0);
}

std::unexpected<Error> ClientConnection::Broken(const Error& error) {
  failed_ = true;
  if (error.code == Code::kCancelled) {
    Error cancelled(Code::kCancelled, error.message);
    cancelled.executed = executed();
    return std::unexpected(std::move(cancelled));
  }
  const bool late = error.code == Code::kDeadlineExceeded;
  return Fail(late ? Reason::kUpstreamTimeout : Reason::kUpstreamReset, executed(), error.message);
}

std::unexpected<Error> ClientConnection::Wrong(const Verdict& verdict) {
  failed_ = true;
  return Fail(Reason::kUpstreamProtocol, executed(), std::string(verdict.sentence));
}

Task<Result<void>> ClientConnection::Write(std::span<const char> data, BodyWriter::Last last) {
  const auto after = writer_.Add(out_, data, last);
  if (!after) {
    failed_ = true;
    co_return std::unexpected(after.error());
  }
  auto sent = co_await Send(data, *after);
  if (sent && last == BodyWriter::Last::kYes) request_ended_ = true;
  co_return sent;
}

Task<Result<void>> ClientConnection::Send(std::span<const char> data, std::string_view after) {
  if (out_.empty() && data.empty() && after.empty()) co_return Result<void>();
  if (GatherSmall(out_, data, after)) {
    data = {};
    after = {};
  }
  auto sent = co_await socket_.Write(out_, data, after, deadline_);
  out_.clear();
  if (!sent) co_return Broken(sent.error());
  co_return sent;
}

Task<Result<std::size_t>> ClientConnection::ReadMore(std::size_t most) {
  if (!socket_.reading()) in_.MakeRoom(most);
  auto read = co_await socket_.Read(in_.free(), std::min(deadline_, pause_at_));
  if (!read) {
    const bool late = read.error().code == Code::kDeadlineExceeded;
    if (late && pause_at_ < deadline_) co_return read;
    co_return Broken(read.error());
  }
  in_.Commit(*read);
  read_ += *read;
  if (*read > 0 && bytes_ != nullptr) bytes_->OnBytes(socket_.loop().Now());
  co_return read;
}

Task<Result<void>> ClientConnection::ReadHead() {
  const HeadLimits& limits = pool_->options.head;
  for (int informational = 0;;) {
    auto size = scanner_.Scan(in_.unread());
    if (size && *size > 0) {
      const Judged judged = ParseResponseHead(in_.unread().substr(0, *size), method_, response_);
      in_.Consume(*size);
      scanner_.Reset();
      if (!judged) co_return Wrong(judged.error());
      if (response_.status >= 200) break;
      if (response_.status == 101 || ++informational > kMostInformational) {
        const Verdict unasked{.status = 502,
                              .reason = Reason::kUpstreamProtocol,
                              .sentence = "an interim response that was not asked for"};
        co_return Wrong(unasked);
      }
      if (informational_ != nullptr) co_await informational_->OnInformational(response_);
      continue;
    }
    if (!size) co_return Wrong(size.error());
    const auto read = co_await ReadMore(limits.bytes + InputBuffer::kSize);
    if (!read) co_return std::unexpected(read.error());
    if (*read == 0) {
      failed_ = true;
      co_return Fail(Reason::kUpstreamReset, executed(), "closed before a response");
    }
  }
  OnHead();
  co_return Result<void>();
}

void ClientConnection::OnHead() {
  has_head_ = true;
  pool_->LearnFrom(response_);
  body_.Begin(HasBody(method_, response_.status) ? response_.framing : Framing());
}

Task<Result<bool>> ClientConnection::AwaitBody(TimePoint until) {
  pause_at_ = until;
  const auto piece = co_await ReadBody();
  pause_at_ = kNever;
  if (piece) begun_ = *piece;
  // What breaks has a reason, or was stopped.
  const bool paused = !piece && piece.error().code == Code::kDeadlineExceeded &&
                      piece.error().reason == Reason::kNone;
  if (!piece && !paused) co_return std::unexpected(piece.error());
  co_return !paused;
}

Task<Result<std::span<const char>>> ClientConnection::ReadBody() {
  if (!begun_.empty()) co_return std::exchange(begun_, {});
  in_.Consume(std::exchange(handed_, 0));
  while (!body_.complete()) {
    const auto piece = body_.Take(in_.unread());
    if (!piece) co_return Wrong(piece.error());
    if (!piece->data.empty()) {
      handed_ = piece->consumed;
      co_return std::span<const char>(piece->data);
    }
    in_.Consume(piece->consumed);
    if (body_.complete()) break;
    const auto read = co_await ReadMore(InputBuffer::kSize);
    if (!read) co_return std::unexpected(read.error());
    if (*read == 0 && !body_.OnStreamEnd()) {
      failed_ = true;
      co_return Fail(Reason::kUpstreamReset, executed(), "closed in the middle of the body");
    }
  }
  co_return std::span<const char>();
}

ClientExchange::ClientExchange(ClientExchange&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

ClientExchange& ClientExchange::operator=(ClientExchange&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}

ClientExchange::~ClientExchange() {
  if (connection_ != nullptr) ClientConnection::End(std::unique_ptr<ClientConnection>(connection_));
}

bool ClientExchange::reused() const { return connection_->exchanges_ > 1; }
bool ClientExchange::answered() const { return connection_->read_ > 0; }
bool ClientExchange::sent() const { return connection_->sent(); }
std::uint64_t ClientExchange::bytes_in() const { return connection_->read_; }
std::uint64_t ClientExchange::bytes_out() const {
  return connection_->socket_.written() - connection_->written_before_;
}
void ClientExchange::set_deadline(TimePoint deadline) { connection_->deadline_ = deadline; }
void ClientExchange::set_bytes(ByteObserver* observer) { connection_->bytes_ = observer; }
void ClientExchange::set_informational(InformationalObserver* observer) {
  connection_->informational_ = observer;
}

void ClientExchange::SendHead(const RequestHead& head, Framing framing) {
  connection_->method_ = head.method;
  connection_->out_.clear();
  AppendRequestHead(connection_->out_, head, framing);
  connection_->writer_.Begin(framing, true);
}

Task<Result<void>> ClientExchange::Flush() { return connection_->Send({}, {}); }
Task<Result<void>> ClientExchange::WriteBody(std::span<const char> data) {
  return connection_->Write(data, BodyWriter::Last::kNo);
}
Task<Result<void>> ClientExchange::FinishBody(std::span<const char> last) {
  return connection_->Write(last, BodyWriter::Last::kYes);
}
Task<Result<void>> ClientExchange::ReadHead() { return connection_->ReadHead(); }
Task<Result<bool>> ClientExchange::AwaitBody(TimePoint until) {
  return connection_->AwaitBody(until);
}
ResponseHead& ClientExchange::response() { return connection_->response_; }
Task<Result<std::span<const char>>> ClientExchange::ReadBody() { return connection_->ReadBody(); }
bool ClientExchange::body_complete() const {
  return connection_->body_.complete() && connection_->begun_.empty();
}

void ClientExchange::Abort() {
  connection_->failed_ = true;
  connection_->socket_.Abort();
}

}  // namespace hale::net
