#include "hale/net/server_group.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hale/net/server_group_impl.h"

namespace hale::net {
namespace {

// A connection on its way to another loop, closed if that loop never runs again.
class Parcel {
 public:
  Parcel(std::shared_ptr<HttpServer::Impl> to, int descriptor, const Address& peer)
      : to_(std::move(to)), descriptor_(descriptor), peer_(peer) {
    to_->underway.fetch_add(1, std::memory_order_relaxed);
  }
  Parcel(Parcel&& other) noexcept
      : to_(std::move(other.to_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        peer_(other.peer_) {}
  ~Parcel() {
    Arrived();
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void Deliver() {
    if (to_->ended) return;
    auto connection = to_->Take(std::exchange(descriptor_, -1), peer_);
    Arrived();  // counted there by now, and not yet heard of by its client
    if (connection) HttpServer::Impl::Start(std::move(connection));
  }

 private:
  void Arrived() {
    // Release: who no longer sees it on its way sees it there.
    if (const auto to = std::exchange(to_, nullptr)) {
      to->underway.fetch_sub(1, std::memory_order_release);
    }
  }

  std::shared_ptr<HttpServer::Impl> to_;
  int descriptor_;
  Address peer_;
};

}  // namespace

ServerGroup::ServerGroup() : impl_(std::make_unique<Impl>()) {}
ServerGroup::~ServerGroup() = default;

void ServerGroup::Impl::Leave(const HttpServer::Impl& server) {
  members.With([&](auto& all) {
    std::erase_if(all, [&](const auto& member) { return member.get() == &server; });
  });
}

bool ServerGroup::Impl::HandOver(const HttpServer::Impl& from, int descriptor,
                                 const Address& peer) {
  // Posting under the lock keeps the other loop alive: its server leaves under it before it ends.
  return members.With([&](auto& all) {
    const auto fewest =
        std::ranges::min_element(all, {}, [](const auto& member) { return member->load(); });
    if (fewest == all.end() || fewest->get() == &from) return false;
    if (4 * (from.load() + 1) <= 5 * ((*fewest)->load() + 1)) return false;
    (*fewest)->loop.Post(
        [parcel = Parcel(*fewest, descriptor, peer)]() mutable { parcel.Deliver(); });
    return true;
  });
}

}  // namespace hale::net
