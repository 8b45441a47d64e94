#include "app/demo_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <vector>

namespace hale::app {
namespace {

// Between fork and exec of a process that has threads only async-signal-safe calls are allowed, so
// all memory is had before.
[[noreturn]] void Become(char* const* arguments, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it ended before prctl was heard
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_DFL);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv("/proc/self/exe", arguments);
  constexpr std::string_view kWhy = "this program could not be started once more\n";
  static_cast<void>(!write(STDERR_FILENO, kWhy.data(), kWhy.size()));
  _exit(127);
}

}  // namespace

Result<DemoProcess> DemoProcess::Start(std::span<const std::string> arguments,
                                       const std::string& log) {
  std::vector<std::string> words{"hale"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return Fail(Code::kUnavailable, log + ": " + std::strerror(errno));
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(pointers.data(), file, parent);
  const int error = errno;
  close(file);
  if (pid < 0) return Fail(Code::kUnavailable, std::string("fork: ") + std::strerror(error));
  return DemoProcess(pid);
}

DemoProcess& DemoProcess::operator=(DemoProcess&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, 0);
  }
  return *this;
}

bool DemoProcess::Alive() {
  if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = 0;
  return pid_ != 0;
}

void DemoProcess::Signal(int number) const {
  if (pid_ != 0) kill(pid_, number);
}

void DemoProcess::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace hale::app
