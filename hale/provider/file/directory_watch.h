#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace hale::provider::file {

/// inotify on directories, see inotify(7). Not thread-safe.
class DirectoryWatch {
 public:
  static constexpr int kNone = -1;

  enum class What : std::uint8_t {
    kWritten,   ///< created or written to, by somebody who has it open
    kClosed,    ///< by somebody who had it open for writing
    kReplaced,  ///< by a rename, or its mode changed
    kGone,
    kUnsure,  ///< about nothing in particular: look at everything, add all directories again
  };
  struct Event {
    int directory = kNone;  ///< as Add named it
    What what = What::kUnsure;
    std::string name;  ///< within the directory
  };

  DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  /// False when the system had no inotify instance left (fs.inotify.max_user_instances).
  bool ok() const { return fd_ >= 0; }
  /// Readable when Drain() has something to say.
  int fd() const { return fd_; }
  /// The same number for the same directory; kNone when it cannot be watched.
  int Add(const std::string& directory);
  /// Forgets all other directories.
  void Keep(const std::set<int>& used);
  /// What happened since the last call. Does not wait.
  std::vector<Event> Drain();

 private:
  int fd_;
  std::set<int> added_;
};

}  // namespace hale::provider::file
