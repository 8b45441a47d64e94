#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hale/base/time.h"
#include "hale/provider/file/settling.h"

namespace hale::provider::file {

struct FileWatchOptions {
  SettlingOptions settling = {};
  Duration poll = std::chrono::seconds(5);  ///< how often it looks for itself
};

/// Whether a file that was read made sense. One that did not may be half written.
enum class Sense : std::uint8_t { kMade, kNone };
/// What follows when it made none: another reading, or nothing, so that it must be believed.
enum class Patience : std::uint8_t { kMore, kNone };

/// Says when files have changed and are worth reading, on one thread of its own, where they may be
/// read, too: a disk is no place for an event loop.
///
/// It watches directories, since a file that is replaced by a rename is another file: the path's
/// own and that of the file it leads to, so that a swap of Kubernetes' `..data` link, an editor's
/// rename and a write in place are all seen. Every `poll` it looks for itself, because inotify says
/// nothing on some network file systems, when its queue overflowed, about a link in the middle of
/// a chain, or in a directory that is not there yet (then each second). Thread-safe.
class FileWatch {
 public:
  /// Called on the watch's thread: once soon after it was added, and after each change.
  using Reader = std::function<Sense(Patience)>;

 private:
  struct Entry;
  struct State;

 public:
  /// Ends a watch: its reader is not called again; a call that runs may still be finishing.
  /// Movable between threads, not thread-safe itself.
  class Handle {
   public:
    Handle() = default;
    Handle(Handle&&) = default;
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { Close(); }
    /// Has the file read now, changed or not.
    void Refresh() const;

   private:
    friend class FileWatch;
    Handle(std::weak_ptr<State> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
    void Close();
    std::weak_ptr<State> state_;
    std::uint64_t id_ = 0;
  };

  explicit FileWatch(FileWatchOptions options = {});
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  /// Waits for a reader that runs.
  ~FileWatch();

  Handle Watch(std::string path, Reader reader);
  /// Has every file read now, as after SIGHUP. Not for use inside a signal handler.
  void Refresh();

 private:
  std::shared_ptr<State> state_;
};

}  // namespace hale::provider::file
