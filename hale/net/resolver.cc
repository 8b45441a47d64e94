#include "hale/net/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "hale/base/wait.h"
#include "hale/net/sockaddr.h"

namespace hale::net {
namespace {

constexpr std::size_t kMostWaiting = 256;

using Addresses = Result<std::vector<Address>>;

// One question, shared by who asked and the helper thread: either may be gone first.
struct Question {
  Question(Loop& l, std::string h, std::uint16_t p) : loop(l), host(std::move(h)), port(p) {}
  Loop& loop;
  std::string host;
  std::uint16_t port;
  Addresses answer = Fail(Code::kUnavailable, "the resolver has stopped");
  Trigger* waiter = nullptr;  // touched on the loop only
  bool wanted = true;         // under the lock; the loop is there for as long
};

Addresses Ask(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &wanted, &found); error != 0) {
    return Fail(Code::kUnavailable, "'" + host + "': " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Address address = internal::SocketAddress(at->ai_addr, at->ai_addrlen).ToAddress();
    address.port = port;
    addresses.push_back(address);
  }
  if (addresses.empty()) return Fail(Code::kUnavailable, "'" + host + "' has no address");
  return addresses;
}

}  // namespace

// Outlives the resolver while the helper thread is inside getaddrinfo, which nothing can interrupt.
struct Resolver::Impl {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Question>> waiting;
  bool stopping = false;

  void Forget(const std::shared_ptr<Question>& question) {
    const std::lock_guard lock(mutex);
    question->wanted = false;
    std::erase(waiting, question);
  }

  static void Serve(const std::shared_ptr<Impl>& impl) {
    for (;;) {
      std::unique_lock lock(impl->mutex);
      impl->changed.wait(lock, [&] { return impl->stopping || !impl->waiting.empty(); });
      if (impl->stopping) return;
      const auto question = std::move(impl->waiting.front());
      impl->waiting.pop_front();
      lock.unlock();
      auto answer = Ask(question->host, question->port);
      lock.lock();
      if (impl->stopping) return;
      // Posted under the lock: the loop may be gone with whoever asked.
      if (!question->wanted) continue;
      question->loop.Post([question, answer = std::move(answer)]() mutable {
        if (question->waiter == nullptr) return;
        question->answer = std::move(answer);
        question->waiter->Fire();
      });
    }
  }
};

Resolver::Resolver() : impl_(std::make_shared<Impl>()) {
  std::thread([impl = impl_] { Impl::Serve(impl); }).detach();
}

Resolver::~Resolver() {
  const std::lock_guard lock(impl_->mutex);
  impl_->stopping = true;
  impl_->changed.notify_all();
}

Task<Addresses> Resolver::Resolve(Loop& loop, std::string host_port, TimePoint deadline) {
  if (const auto numeric = Address::Parse(host_port)) co_return std::vector<Address>(1, *numeric);
  const auto parts = SplitHostPort(host_port);
  if (!parts) co_return std::unexpected(parts.error());
  const auto question = std::make_shared<Question>(loop, std::string(parts->host), parts->port);
  Trigger answered(loop);
  question->waiter = &answered;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->waiting.size() >= kMostWaiting) {
      co_return Fail(Code::kResourceExhausted, "too many names wait to be resolved");
    }
    impl_->waiting.push_back(question);
    impl_->changed.notify_one();
  }
  const auto ended = co_await answered.Wait(deadline);
  question->waiter = nullptr;
  if (ended != Trigger::Ended::kFired) impl_->Forget(question);
  if (ended == Trigger::Ended::kStopped) co_return Fail(Code::kCancelled, "stopped");
  if (ended == Trigger::Ended::kTimedOut) {
    co_return Fail(Code::kDeadlineExceeded, "'" + host_port + "' took too long to resolve");
  }
  co_return std::move(question->answer);
}

}  // namespace hale::net
