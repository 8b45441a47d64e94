#include "hale/provider/file/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace hale::provider::file {
namespace {

constexpr std::uint32_t kMask = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |
                                IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
                                IN_MOVE_SELF | IN_ONLYDIR;

DirectoryWatch::What Read(std::uint32_t mask) {
  using enum DirectoryWatch::What;
  if (mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) {
    return kUnsure;
  }
  if (mask & (IN_DELETE | IN_MOVED_FROM)) return kGone;
  if (mask & (IN_MOVED_TO | IN_ATTRIB)) return kReplaced;
  if (mask & IN_CLOSE_WRITE) return kClosed;
  return kWritten;
}

}  // namespace

DirectoryWatch::DirectoryWatch() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

int DirectoryWatch::Add(const std::string& directory) {
  if (fd_ < 0) return kNone;
  const int added = ::inotify_add_watch(fd_, directory.c_str(), kMask);
  if (added < 0) return kNone;
  added_.insert(added);
  return added;
}

void DirectoryWatch::Keep(const std::set<int>& used) {
  std::erase_if(added_, [&](int directory) {
    if (used.contains(directory)) return false;
    ::inotify_rm_watch(fd_, directory);  // fails when the directory is gone: so is the watch
    return true;
  });
}

std::vector<DirectoryWatch::Event> DirectoryWatch::Drain() {
  std::vector<Event> events;
  alignas(inotify_event) char buffer[16 * 1024];
  while (fd_ >= 0) {
    const ssize_t got = ::read(fd_, buffer, sizeof buffer);
    if (got <= 0) break;
    for (const char* at = buffer; at < buffer + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* name = at + sizeof event;
      at = name + event.len;
      // The name is padded with zeros.
      events.push_back({event.wd, Read(event.mask), event.len > 0 ? std::string(name) : ""});
      if (event.mask & IN_IGNORED) added_.erase(event.wd);
    }
  }
  return events;
}

}  // namespace hale::provider::file
