#include "hale/provider/file/file_watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hale/base/clock.h"
#include "hale/base/guarded.h"
#include "hale/provider/file/directory_watch.h"
#include "hale/provider/file/read_file.h"

namespace hale::provider::file {
namespace {

namespace fs = std::filesystem;

// Where inotify cannot help we look ourselves this often.
constexpr Duration kBlindPoll = std::chrono::seconds(1);

fs::path Directory(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

Settling::Change ChangeOf(DirectoryWatch::What what) {
  switch (what) {
    case DirectoryWatch::What::kWritten:
      return Settling::Change::kWritten;
    case DirectoryWatch::What::kClosed:
      return Settling::Change::kClosed;
    default:
      return Settling::Change::kReplaced;
  }
}

/// Wakes a thread that waits in poll(2).
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { ::close(fd_); }
  void Ring() { ::eventfd_write(fd_, 1); }
  void Clear() {
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

struct FileWatch::Entry {
  Entry(std::string p, Reader r, const SettlingOptions& options)
      : path(std::move(p)), reader(std::move(r)), settling(options) {}

  /// Where a change of the file shows.
  struct Place {
    int directory = DirectoryWatch::kNone;
    std::string name;

    friend bool operator==(const Place&, const Place&) = default;
  };

  const std::string path;
  const Reader reader;
  Settling settling;  // under the lock
  // Of the thread alone.
  Signature seen;
  std::vector<Place> places;
};

struct FileWatch::State {
  using Entries = std::map<std::uint64_t, std::shared_ptr<Entry>>;
  struct Shared {
    Entries entries;
    std::uint64_t last_id = 0;
    bool stop = false;
  };

  explicit State(const FileWatchOptions& o) : options(o) {}

  void Run();
  void Wait(TimePoint look_at);
  bool Blind();
  void Hear();
  void LookAtAll();
  void Arm(Entry& entry);
  void Compare(Entry& entry);
  void Touch(Entry& entry, Settling::Change change);
  void ReadDue();
  void ReadOne(std::uint64_t id, Entry& entry);
  Entries All() {
    return shared.With([](Shared& s) { return s.entries; });
  }

  const FileWatchOptions options;
  Guarded<Shared> shared;
  Bell bell;
  DirectoryWatch directories;  // of the thread alone
  std::thread thread;
};

void FileWatch::State::Run() {
  TimePoint looked = RealClock().Now();
  while (!shared.Lock()->stop) {
    Hear();
    ReadDue();
    const TimePoint look_at =
        looked + (Blind() ? std::min(kBlindPoll, options.poll) : options.poll);
    Wait(look_at);
    if (RealClock().Now() < look_at) continue;
    LookAtAll();
    looked = RealClock().Now();
  }
}

bool FileWatch::State::Blind() {
  return std::ranges::any_of(All(), [](const auto& known) {
    return std::ranges::any_of(known.second->places, [](const Entry::Place& place) {
      return place.directory == DirectoryWatch::kNone;
    });
  });
}

/// Until something happens, a file is due, or it is time to look.
void FileWatch::State::Wait(TimePoint look_at) {
  TimePoint until = look_at;
  for (const auto& [id, entry] : shared.Lock()->entries) {
    until = std::min(until, entry->settling.due());
  }
  const Duration span = std::max(until - RealClock().Now(), Duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(span);
  const timespec timeout{.tv_sec = whole.count(), .tv_nsec = (span - whole).count()};
  pollfd waits[] = {{.fd = bell.fd(), .events = POLLIN, .revents = 0},
                    {.fd = directories.fd(), .events = POLLIN, .revents = 0}};
  ::ppoll(waits, directories.ok() ? 2 : 1, &timeout, nullptr);
  bell.Clear();
}

void FileWatch::State::Hear() {
  const auto events = directories.Drain();
  if (events.empty()) return;
  const Entries all = All();
  std::set<Entry*> touched;
  std::set<Entry*> compare;
  bool unsure = false;
  for (const auto& event : events) {
    unsure |= event.what == DirectoryWatch::What::kUnsure;
    for (const auto& [id, entry] : all) {
      for (const Entry::Place& place : entry->places) {
        if (place.directory != event.directory) continue;
        if (place.name == event.name && event.what != DirectoryWatch::What::kGone) {
          Touch(*entry, ChangeOf(event.what));
          touched.insert(entry.get());
        } else {
          // Something beside it, which may be a link on the way to it.
          compare.insert(entry.get());
        }
      }
    }
  }
  if (unsure) return LookAtAll();
  for (Entry* entry : compare) {
    if (!touched.contains(entry)) Compare(*entry);
  }
}

void FileWatch::State::LookAtAll() {
  std::set<int> used;
  for (const auto& [id, entry] : All()) {
    Arm(*entry);
    Compare(*entry);
    for (const Entry::Place& place : entry->places) used.insert(place.directory);
  }
  directories.Keep(used);
}

void FileWatch::State::Arm(Entry& entry) {
  const fs::path path(entry.path);
  entry.places.assign(1, {directories.Add(Directory(path)), path.filename()});
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return;
  Entry::Place behind{directories.Add(Directory(real)), real.filename()};
  if (behind != entry.places.front()) entry.places.push_back(std::move(behind));
}

void FileWatch::State::Compare(Entry& entry) {
  const Signature now = SignatureOf(entry.path);
  if (now == entry.seen) return;
  entry.seen = now;
  Touch(entry, now == Signature() ? Settling::Change::kGone : Settling::Change::kNoticed);
}

void FileWatch::State::Touch(Entry& entry, Settling::Change change) {
  const auto locked = shared.Lock();
  entry.settling.Touch(change, RealClock().Now());
}

void FileWatch::State::ReadDue() {
  const TimePoint now = RealClock().Now();
  for (const auto& [id, entry] : All()) {
    const bool due = shared.With([&, known = id](Shared& s) {
      return !s.stop && s.entries.contains(known) && entry->settling.due() <= now;
    });
    if (due) ReadOne(id, *entry);
  }
}

void FileWatch::State::ReadOne(std::uint64_t id, Entry& entry) {
  // Armed and compared before it is read: what changes from here on is another change.
  Arm(entry);
  entry.seen = SignatureOf(entry.path);
  const Patience patience = shared.With([&](Shared&) {
    entry.settling.Read();
    return entry.settling.patient() ? Patience::kMore : Patience::kNone;
  });
  const Sense sense = entry.reader(patience);
  shared.With([&](Shared& s) {
    if (!s.entries.contains(id)) return;
    if (sense == Sense::kMade) return entry.settling.Done();
    entry.settling.Again(RealClock().Now());
  });
}

FileWatch::FileWatch(FileWatchOptions options) : state_(std::make_shared<State>(options)) {
  // A signal is for the program's own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(state_->thread.native_handle(), "hale-files");
}

FileWatch::~FileWatch() {
  state_->shared.Lock()->stop = true;
  state_->bell.Ring();
  state_->thread.join();
}

FileWatch::Handle FileWatch::Watch(std::string path, Reader reader) {
  auto entry =
      std::make_shared<Entry>(std::move(path), std::move(reader), state_->options.settling);
  entry->settling.Hurry(RealClock().Now());
  const std::uint64_t id = state_->shared.With([&](State::Shared& shared) {
    shared.entries.emplace(++shared.last_id, std::move(entry));
    return shared.last_id;
  });
  state_->bell.Ring();
  return {state_, id};
}

void FileWatch::Refresh() {
  const TimePoint now = RealClock().Now();
  state_->shared.With([&](State::Shared& shared) {
    for (const auto& [id, entry] : shared.entries) entry->settling.Hurry(now);
  });
  state_->bell.Ring();
}

FileWatch::Handle& FileWatch::Handle::operator=(Handle&& other) noexcept {
  Close();
  state_ = std::move(other.state_);
  id_ = std::exchange(other.id_, 0);
  return *this;
}

void FileWatch::Handle::Refresh() const {
  const auto state = state_.lock();
  if (!state) return;
  state->shared.With([&](State::Shared& shared) {
    const auto found = shared.entries.find(id_);
    if (found != shared.entries.end()) found->second->settling.Hurry(RealClock().Now());
  });
  state->bell.Ring();
}

void FileWatch::Handle::Close() {
  if (const auto state = std::exchange(state_, {}).lock()) {
    // The entry, and with it whatever its reader owns, is destroyed outside the lock.
    const auto entry = state->shared.With([&](State::Shared& shared) {
      const auto node = shared.entries.extract(id_);
      return node ? node.mapped() : nullptr;
    });
  }
}

}  // namespace hale::provider::file
