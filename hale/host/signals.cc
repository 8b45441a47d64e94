#include "hale/host/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace hale::host {
namespace {

sigset_t Wanted() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&wanted, signal);
  return wanted;
}

}  // namespace

void Signals::Block() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t wanted = Wanted();
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
}

Signals::Signals(Executor& executor, std::function<void(int)> handler) {
  const sigset_t wanted = Wanted();
  signals_ = signalfd(-1, &wanted, SFD_CLOEXEC);
  ended_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this, &executor, handler = std::move(handler)] {
    std::array<pollfd, 2> both{{{signals_, POLLIN, 0}, {ended_, POLLIN, 0}}};
    while (poll(both.data(), both.size(), -1) >= 0 || errno == EINTR) {
      if ((both[1].revents & POLLIN) != 0) return;
      if ((both[0].revents & POLLIN) == 0) continue;
      signalfd_siginfo info{};
      if (read(signals_, &info, sizeof info) != sizeof info) continue;
      executor.Post([handler, signal = static_cast<int>(info.ssi_signo)] { handler(signal); });
    }
  });
}

Signals::~Signals() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(ended_, &one, sizeof one));
  thread_.join();
  close(signals_);
  close(ended_);
}

}  // namespace hale::host
