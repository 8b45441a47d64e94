#include "hale/net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/base/may_block.h"
#include "hale/net/loop_access.h"
#include "hale/net/timer_queue.h"

namespace hale::net {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

int NewEventDescriptor() {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  return descriptor;
}

void RaiseTo(std::atomic<std::int64_t>& worst, Duration seen) {
  // One writer, the loop; a reader that exchanges in between only shortens what it will see next.
  if (seen.count() > worst.load(std::memory_order_relaxed)) {
    worst.store(seen.count(), std::memory_order_relaxed);
  }
}

}  // namespace

// The reactor is told that one thread uses it and takes no locks at all; whatever comes from other
// threads comes through the inbox and the event descriptor.
struct Loop::Impl {
  struct Inbox {
    std::vector<Work> work;
    bool announced = false;
  };

  Impl() : timer(io), wake(io, NewEventDescriptor()), now(RealClock().Now()) { AwaitWake(); }

  void AwaitWake() {
    wake.async_read_some(asio::buffer(&wake_count, sizeof(wake_count)),
                         [this](const error_code& error, std::size_t) {
                           if (error) return;
                           if (stopping.load(std::memory_order_acquire)) io.stop();
                           AwaitWake();
                           DrainInbox();
                         });
  }

  void Wake() {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake.
    [[maybe_unused]] const auto size = ::write(wake.native_handle(), &one, sizeof(one));
  }

  void DrainInbox() {
    inbox.With([&](Inbox& box) {
      std::swap(box.work, running);
      box.announced = false;
    });
    for (Work& work : running) {
      Enter();
      work();
      work = nullptr;
      Leave();
    }
    running.clear();
  }

  void Enter() { now = RealClock().Now(); }
  void Leave() {
    // The coarse clock is up to 4 ms behind, which is small against a turn worth reporting.
    RaiseTo(worst_turn, CoarseClock().Now() - now);
  }

  void Schedule(TimePoint when) {
    if (when <= now) {
      if (std::exchange(due_announced, true)) return;
      asio::post(io, [this] {
        due_announced = false;
        RunDue();
      });
    } else if (when < armed_for) {
      armed_for = when;
      timer.expires_at(when);  // ends the wait before with an error
      timer.async_wait([this](const error_code& error) {
        if (error) return;
        armed_for = kNever;
        RunDue();
      });
    }
  }

  void RunDue() {
    Enter();
    const std::uint64_t mark = timers.mark();
    for (;;) {
      const TimePoint due = timers.next();
      auto work = timers.Take(now, mark);
      if (!work) break;
      // What is due "now" is armed for the beginning of time and has waited for nothing.
      if (due != TimePoint::min()) RaiseTo(worst_timer, now - due);
      (*work)();
      Leave();
      Enter();
    }
    if (!timers.empty()) Schedule(timers.next());
  }

  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::steady_timer timer;
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> wake;
  std::uint64_t wake_count = 0;
  TimePoint now;
  TimePoint armed_for = kNever;
  bool due_announced = false;
  TimerQueue timers;
  std::vector<Work> running;
  Guarded<Inbox> inbox;
  std::atomic<std::thread::id> owner;
  std::atomic<bool> stopping = false;
  std::atomic<std::int64_t> worst_turn = 0;
  std::atomic<std::int64_t> worst_timer = 0;
  std::atomic<std::size_t> sockets = 0;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::Run() {
  const MustNotBlock scope;
  impl_->owner.store(std::this_thread::get_id(), std::memory_order_relaxed);
  impl_->Enter();
  impl_->io.restart();
  impl_->io.run();
  impl_->stopping.store(false, std::memory_order_relaxed);
  impl_->owner.store(std::thread::id(), std::memory_order_relaxed);
}

void Loop::Stop() {
  // Publishes what the stopper wrote before to whom Run returns.
  impl_->stopping.store(true, std::memory_order_release);
  impl_->Wake();
}

bool Loop::InLoop() const {
  return impl_->owner.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void Loop::Post(Work work) {
  const bool announced = impl_->inbox.With([&](Impl::Inbox& box) {
    box.work.push_back(std::move(work));
    return std::exchange(box.announced, true);
  });
  if (announced) return;
  if (InLoop()) {
    asio::post(impl_->io, [impl = impl_.get()] { impl->DrainInbox(); });
  } else {
    impl_->Wake();
  }
}

Executor::Timer Loop::At(TimePoint when, Work work) {
  const Timer timer = impl_->timers.Add(when, std::move(work));
  impl_->Schedule(when);
  return timer;
}

void Loop::Cancel(Timer timer) { impl_->timers.Cancel(timer); }
TimePoint Loop::Now() const { return impl_->now; }
const Clock& Loop::clock() const { return RealClock(); }

LoopLag Loop::TakeLag() {
  return {.turn = Duration(impl_->worst_turn.exchange(0, std::memory_order_relaxed)),
          .timer = Duration(impl_->worst_timer.exchange(0, std::memory_order_relaxed))};
}

std::size_t Loop::sockets() const { return impl_->sockets.load(std::memory_order_relaxed); }

namespace internal {

void* LoopAccess::Reactor(Loop& loop) { return &loop.impl_->io; }

void LoopAccess::CountSocket(Loop& loop, int change) {
  loop.impl_->sockets.fetch_add(static_cast<std::size_t>(change), std::memory_order_relaxed);
}

LoopAccess::Piece::Piece(Loop& loop) : loop_(loop) { loop.impl_->Enter(); }
LoopAccess::Piece::~Piece() { loop_.impl_->Leave(); }

}  // namespace internal
}  // namespace hale::net
