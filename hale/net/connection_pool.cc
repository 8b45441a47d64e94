#include <algorithm>
#include <charconv>
#include <utility>

#include "hale/net/client_connection.h"
#include "hale/net/http1_syntax.h"
#include "hale/net/http_client.h"

namespace hale::net {
namespace {

// What a close taught is forgotten after this: a server that was restarted closed connections that
// it would have kept.
constexpr Duration kRemember = 10min;
// A request leaves this long before the peer is expected to close.
constexpr Duration kMargin = 1s;
// A connection that rested for less was open just now: a close since then is no different from one
// while we write to it. Looking costs a call to the kernel.
constexpr Duration kJustUsed = 1ms;

// `Keep-Alive: timeout=5, max=100`: the seconds, if it says them.
std::optional<Duration> KeepAliveTimeout(const Fields& fields) {
  const auto value = fields.Find("keep-alive");
  if (!value) return std::nullopt;
  std::string_view list = *value;
  while (!list.empty()) {
    const std::string_view element = TakeElement(list);
    constexpr std::string_view kName = "timeout=";
    if (!EqualsIgnoringCase(element.substr(0, kName.size()), kName)) continue;
    std::uint32_t seconds = 0;
    const std::string_view digits = element.substr(kName.size());
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      return std::chrono::seconds(seconds);
    }
  }
  return std::nullopt;
}

}  // namespace

bool ConnectionLimit::TakeFree() {
  const std::uint32_t most = limit_.load(std::memory_order_relaxed);
  std::uint32_t now = open_.load(std::memory_order_relaxed);
  while (now < most) {
    if (open_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

bool ConnectionLimit::Take() {
  if (TakeFree()) return true;
  const auto pools = pools_.Lock();
  for (ConnectionPool::Impl* pool : *pools) {
    if (!pool->ClaimResting()) continue;
    // It is counted before the other is closed: that takes its loop's turn.
    open_.fetch_add(1, std::memory_order_relaxed);
    pool->loop.Post([weak = pool->weak_from_this()] {
      if (const auto alive = weak.lock()) alive->CloseOldest();
    });
    return true;
  }
  return false;
}

ConnectionPool::Impl::Impl(Loop& l, const Address& a, const ClientOptions& o, ConnectionLimit& c)
    : loop(l), address(a), options(o), limit(c) {
  limit.pools_.With([this](auto& pools) { pools.push_back(this); });
}

ConnectionPool::Impl::~Impl() {
  limit.pools_.With([this](auto& pools) { std::erase(pools, this); });
}

void ConnectionPool::Impl::CountIdle() { resting.store(idle.size(), std::memory_order_relaxed); }

bool ConnectionPool::Impl::ClaimResting() {
  std::size_t now = resting.load(std::memory_order_relaxed);
  while (now > 0) {
    if (resting.compare_exchange_weak(now, now - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

void ConnectionPool::Impl::CloseOldest() {
  if (idle.empty()) return;
  idle.erase(idle.begin());
  CountIdle();
}

Duration ConnectionPool::Impl::SafeIdle() const {
  if (peer_keeps == kForever) return options.idle_unsafe;
  return std::max(peer_keeps - kMargin, Duration::zero());
}

void ConnectionPool::Impl::LearnFrom(const ResponseHead& head) {
  if (const auto keeps = KeepAliveTimeout(head.fields)) Learn(*keeps);
}

void ConnectionPool::Impl::Learn(Duration keeps) {
  if (loop.Now() - learned > kRemember) peer_keeps = kForever;
  if (keeps >= peer_keeps) return;
  peer_keeps = keeps;
  learned = loop.Now();
}

std::unique_ptr<ClientConnection> ConnectionPool::Impl::TakeIdle(const OpenOptions& wanted) {
  if (wanted.use == OpenOptions::Use::kFresh) return nullptr;
  while (!idle.empty()) {
    // The one used last is the least likely to be closing.
    if (!wanted.idempotent && loop.Now() - idle.back()->idle_since() > SafeIdle()) return nullptr;
    auto connection = std::move(idle.back());
    idle.pop_back();
    CountIdle();
    const bool just_used = loop.Now() - connection->idle_since() < kJustUsed;
    if ((just_used && wanted.idempotent) || connection->IsOpen()) return connection;
  }
  return nullptr;
}

void ConnectionPool::Impl::Return(std::unique_ptr<ClientConnection> connection) {
  if (abandoned || options.max_idle == 0) return;
  if (idle.size() >= options.max_idle) idle.erase(idle.begin());
  connection->Rest();
  idle.push_back(std::move(connection));
  CountIdle();
  ArmExpiry();
}

void ConnectionPool::Impl::OnIdleRead(ClientConnection& connection, bool closed) {
  const auto found = std::ranges::find(idle, &connection, &std::unique_ptr<ClientConnection>::get);
  if (found == idle.end()) return;  // it carries an exchange by now, which will see it
  if (closed) Learn(loop.Now() - connection.idle_since());
  idle.erase(found);
  CountIdle();
}

void ConnectionPool::Impl::ArmExpiry() {
  if (expiry != Executor::Timer::kNone || idle.empty()) return;
  const TimePoint first = SaturatingAdd(idle.front()->idle_since(), options.idle_timeout);
  expiry = loop.At(first, [this] {
    expiry = Executor::Timer::kNone;
    ExpireIdle();
  });
}

void ConnectionPool::Impl::ExpireIdle() {
  const TimePoint before = loop.Now() - options.idle_timeout;
  std::erase_if(idle, [&](const auto& one) { return one->idle_since() <= before; });
  CountIdle();
  ArmExpiry();
}

void ConnectionPool::Impl::CloseIdle() {
  loop.Cancel(std::exchange(expiry, Executor::Timer::kNone));
  idle.clear();
  CountIdle();
}

ConnectionPool::ConnectionPool(Loop& loop, const Address& address, const ClientOptions& options,
                               ConnectionLimit& limit)
    : impl_(std::make_shared<Impl>(loop, address, options, limit)) {}

ConnectionPool::~ConnectionPool() {
  impl_->abandoned = true;
  CloseIdle();
}

Task<Result<ClientExchange>> ConnectionPool::Open(OpenOptions options) {
  return Dial(impl_, options);
}

// It holds the pool's state: the pool itself may go while a connection is being made.
Task<Result<ClientExchange>> ConnectionPool::Dial(std::shared_ptr<Impl> pool, OpenOptions options) {
  auto connection = pool->TakeIdle(options);
  if (!connection) {
    if (!pool->limit.Take()) co_return Fail(Reason::kConcurrency, Executed::kNo);
    const TimePoint patience = SaturatingAdd(pool->loop.Now(), pool->options.connect_timeout);
    auto socket = co_await Connect(pool->loop, pool->address, std::min(patience, options.deadline));
    if (!socket) {
      pool->limit.Give();
      Error& error = socket.error();
      error.executed = Executed::kNo;
      if (error.code == Code::kCancelled) co_return std::unexpected(std::move(error));
      const bool late = pool->loop.Now() >= options.deadline;
      co_return Fail(late ? Reason::kUpstreamTimeout : Reason::kUpstreamConnect, Executed::kNo,
                     std::move(error.message));
    }
    connection = std::make_unique<ClientConnection>(std::move(pool), std::move(*socket));
  }
  connection->Begin(options.deadline);
  co_return ClientExchange(connection.release());
}

void ConnectionPool::Apply(const ClientOptions& options) { impl_->options = options; }
void ConnectionPool::CloseIdle() { impl_->CloseIdle(); }
const Address& ConnectionPool::address() const { return impl_->address; }
std::size_t ConnectionPool::idle() const { return impl_->idle.size(); }
Duration ConnectionPool::peer_keeps() const { return impl_->peer_keeps; }

}  // namespace hale::net
