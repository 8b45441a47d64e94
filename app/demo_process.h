#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <utility>

#include "hale/base/error.h"

namespace hale::app {

/// This program once more, as a child that cannot outlive its parent: the kernel kills it when the
/// thread that started it ends, however that ends. It has a process group of its own, so that a
/// Ctrl-C at the terminal reaches the parent alone, which then ends its children. Not thread-safe.
class DemoProcess final {
 public:
  DemoProcess() = default;
  /// `arguments` follow the program's name; output and errors go to the end of the file `log`.
  static Result<DemoProcess> Start(std::span<const std::string> arguments, const std::string& log);

  DemoProcess(DemoProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  DemoProcess& operator=(DemoProcess&& other) noexcept;
  ~DemoProcess() { Kill(); }

  pid_t pid() const { return pid_; }
  /// Whether it runs, or is stopped.
  bool Alive();
  void Signal(int number) const;
  /// SIGKILL, which ends a stopped process too, and waits for its end. Nothing when it has ended.
  void Kill();

 private:
  explicit DemoProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;  ///< 0: none, or its end has been seen
};

}  // namespace hale::app
