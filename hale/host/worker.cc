#include "hale/host/worker.h"

#include <future>

#include "hale/base/may_block.h"

namespace hale::host {
namespace {

// What a handler calls services through is its loop's; a coroutine carries no parameter for it.
thread_local mesh::Pools* current_pools = nullptr;

}  // namespace

net::ServerOptions ToServer(const mesh::ListenOptions& listen) {
  net::ServerOptions options;
  options.head.bytes = listen.limits.header.bytes;
  options.head.fields = listen.limits.fields;
  options.head.target = listen.limits.target.bytes;
  options.body_bytes = listen.limits.body.bytes == 0 ? UINT64_MAX : listen.limits.body.bytes;
  options.max_connections = listen.limits.connections;
  options.header_timeout = listen.timeouts.header;
  options.idle_timeout = listen.timeouts.idle;
  options.body_timeout = listen.timeouts.body;
  options.write_timeout = listen.timeouts.write;
  return options;
}

Worker::Worker(const HandlerFactory& handlers, net::Resolver& resolver, EventSink& events)
    : handlers_(handlers), events_(events), pools_(std::make_unique<mesh::Pools>(loop_, resolver)) {
  thread_ = std::thread([this] {
    const MustNotBlock scope;
    current_pools = pools_.get();
    loop_.Run();
  });
}

Worker::~Worker() {
  OnLoop([this] {
    for (Door& door : doors_) door.server->AbortAll();
  });
  // What was stopped unwinds, a turn a wait; what has not by then never will.
  for (int turn = 0; turn < 1000 && connections() > 0; ++turn) OnLoop([] {});
  OnLoop([this] {
    doors_.clear();
    pools_.reset();
  });
  loop_.Stop();
  thread_.join();
}

template <class F>
void Worker::OnLoop(F f) {
  std::promise<void> done;
  loop_.Post([&] {
    f();
    done.set_value();
  });
  done.get_future().wait();
}

mesh::Pools* Worker::CurrentPools() { return current_pools; }

Result<net::Address> Worker::Listen(const mesh::ListenOptions& listen, const net::Address& address,
                                    net::ServerGroup& group) {
  Result<net::Address> bound = Fail(Code::kInternal, "the loop has ended");
  OnLoop([&] {
    Door door{.handler = handlers_(*pools_, listen), .server = nullptr};
    door.server =
        std::make_unique<net::HttpServer>(loop_, ToServer(listen), *door.handler, events_);
    door.server->Join(group);
    bound = door.server->Listen(address, net::ReusePort::kYes);
    if (bound) doors_.push_back(std::move(door));
  });
  return bound;
}

void Worker::Drain() {
  loop_.Post([this] {
    for (Door& door : doors_) door.server->Drain();
  });
}

void Worker::TurnAway() {
  loop_.Post([this] {
    for (Door& door : doors_) door.server->TurnAway();
  });
}

void Worker::StopAccepting() {
  OnLoop([this] {
    for (Door& door : doors_) door.server->StopAccepting();
  });
}

void Worker::AbortAll() {
  OnLoop([this] {
    for (Door& door : doors_) door.server->AbortAll();
  });
}

void Worker::Prune() {
  loop_.Post([this] { pools_->Prune(); });
}

std::size_t Worker::connections() const {
  std::size_t sum = 0;
  for (const Door& door : doors_) sum += door.server->connections();
  return sum;
}

}  // namespace hale::host
