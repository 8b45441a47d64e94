#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "hale/base/error.h"

namespace hale::telemetry {

/// Where finished log lines go. Called by one thread at a time, with no lock of a user's held.
/// Not thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Takes whole lines; false when they are lost (the disk is full ...).
  virtual bool Write(std::string_view lines) noexcept = 0;
};

/// A file that is appended to, or a descriptor such as standard output. Thread-safe as far as
/// Reopen goes; Write is for one thread at a time.
class FileSink final : public LogSink {
 public:
  /// Opens (creates, mode 0640) the file for appending.
  static Result<std::unique_ptr<FileSink>> Open(std::string path);
  /// Writes to a descriptor that stays the caller's.
  static std::unique_ptr<FileSink> ToDescriptor(int descriptor);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override;

  bool Write(std::string_view lines) noexcept override;
  /// The file is opened anew by its path before the next write, after a rotation; if that fails the
  /// old one is kept in use. Nothing for a descriptor. Async-signal-safe.
  void Reopen() noexcept { reopen_.store(true, std::memory_order_relaxed); }

 private:
  FileSink(std::string path, int descriptor);
  void OpenAnew() noexcept;

  const std::string path_;  // empty: the descriptor is not mine
  int descriptor_;
  bool torn_ = false;  // the last write ended inside a line
  std::atomic<bool> reopen_{false};
};

}  // namespace hale::telemetry
