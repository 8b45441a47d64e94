#include "hale/net/http_server.h"

#include <unistd.h>

#include <utility>

#include "hale/net/http1_writer.h"
#include "hale/net/server_connection.h"
#include "hale/net/server_group_impl.h"

namespace hale::net {
namespace {

Task<void> RunConnection(std::unique_ptr<ServerConnection> connection) {
  co_await connection->Run();
}

}  // namespace

void RequestHandler::OnRefused(const Address&, const Verdict&) {}

void HttpServer::Impl::Serve(int descriptor, const Address& peer) {
  if (auto connection = Take(descriptor, peer)) Start(std::move(connection));
}

std::unique_ptr<ServerConnection> HttpServer::Impl::Take(int descriptor, const Address& peer) {
  if (open.size() >= options.max_connections) {
    ::close(descriptor);
    SayFull(peer);
    return nullptr;
  }
  return std::make_unique<ServerConnection>(shared_from_this(), Socket(loop, descriptor, peer));
}

void HttpServer::Impl::Start(std::unique_ptr<ServerConnection> connection) {
  const std::stop_token stop = connection->stop();
  Spawn(RunConnection(std::move(connection)), stop);
}

void HttpServer::Impl::OnAccept(int descriptor, const Address& peer) {
  if (group == nullptr || !group->impl_->HandOver(*this, descriptor, peer)) {
    Serve(descriptor, peer);
  }
}

void HttpServer::Impl::LeaveGroup() {
  if (group != nullptr) std::exchange(group, nullptr)->impl_->Leave(*this);
}

void HttpServer::Impl::SayFull(const Address& peer) {
  if (std::exchange(full, true)) return;
  const std::string who = peer.Text();
  Event event;
  event.at = loop.Now();
  event.kind = EventKind::kBound;
  event.policy = "connections";
  event.observed = static_cast<double>(open.size());
  event.threshold = static_cast<double>(options.max_connections);
  event.detail = who;
  events.On(event);
}

void HttpServer::Impl::Abort() {
  // A connection leaves the list only in a later turn.
  for (ServerConnection* connection : open) connection->AbortNow();
}

void HttpServer::Impl::CloseIdle() {
  for (ServerConnection* connection : open) connection->CloseIfIdle();
}

HttpServer::HttpServer(Loop& loop, const ServerOptions& options, RequestHandler& handler,
                       EventSink& events)
    : impl_(std::make_shared<Impl>(loop, options, handler, events)) {}

HttpServer::~HttpServer() {
  impl_->ended = true;
  impl_->LeaveGroup();
  impl_->listener.reset();
  AbortAll();
}

Result<Address> HttpServer::Listen(const Address& address, ReusePort reuse) {
  impl_->listener = std::make_unique<Listener>(
      impl_->loop,
      [impl = impl_.get()](int descriptor, const Address& peer) {
        impl->OnAccept(descriptor, peer);
      },
      impl_->events);
  return impl_->listener->Listen(address, reuse);
}

void HttpServer::Adopt(int descriptor, const Address& peer) { impl_->Serve(descriptor, peer); }
void HttpServer::Apply(const ServerOptions& options) { impl_->options = options; }

void HttpServer::Drain(Duration grace) {
  impl_->draining_until = SaturatingAdd(impl_->loop.Now(), grace);
  impl_->loop.At(*impl_->draining_until, [impl = impl_] { impl->CloseIdle(); });
}

void HttpServer::TurnAway() {
  if (impl_->listener) impl_->listener->TurnAway();
}

void HttpServer::StopAccepting() {
  impl_->LeaveGroup();
  if (impl_->listener) impl_->listener->Finish();
  impl_->listener.reset();
}

void HttpServer::Join(ServerGroup& group) {
  impl_->LeaveGroup();
  impl_->group = &group;
  group.impl_->members.Lock()->push_back(impl_);
}
void HttpServer::AbortAll() { impl_->Abort(); }

std::size_t HttpServer::connections() const { return impl_->load(); }

RequestHead& ServerExchange::request() { return connection_.request_; }
const Address& ServerExchange::peer() const { return connection_.socket_.peer(); }
TimePoint ServerExchange::started() const { return connection_.started_; }
std::uint64_t ServerExchange::bytes_in() const { return connection_.consumed_; }
std::uint64_t ServerExchange::bytes_out() const {
  return connection_.socket_.written() - connection_.written_before_;
}
int ServerExchange::status() const { return connection_.status(); }
bool ServerExchange::body_complete() const { return connection_.body_.complete(); }
bool ServerExchange::responded() const { return connection_.status_ != 0; }

Task<Result<std::span<const char>>> ServerExchange::ReadBody() { return connection_.ReadBody(); }

void ServerExchange::Respond(const ResponseHead& head, Framing framing) {
  connection_.Respond(head, framing);
}

Task<Result<void>> ServerExchange::Flush() { return connection_.Send({}, {}); }

Task<Result<void>> ServerExchange::WriteBody(std::span<const char> data) {
  return connection_.Write(data, BodyWriter::Last::kNo);
}

Task<Result<void>> ServerExchange::Finish(std::span<const char> last) {
  return connection_.Write(last, BodyWriter::Last::kYes);
}

Task<Result<void>> ServerExchange::RespondWhole(const ResponseHead& head, std::string_view body) {
  connection_.Respond(head, Framing::Length(body.size()));
  return connection_.Write(body, BodyWriter::Last::kYes);
}

Task<Result<void>> ServerExchange::SendInformational(const ResponseHead& head) {
  return connection_.SendInformational(head);
}

void ServerExchange::CloseAfter() { connection_.close_ = true; }
void ServerExchange::Abort() { connection_.aborted_ = true; }

}  // namespace hale::net
