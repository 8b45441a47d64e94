#include "hale/provider/file/file_registry.h"

#include <atomic>
#include <optional>
#include <utility>

#include "hale/base/guarded.h"
#include "hale/base/wait.h"
#include "hale/config/source.h"
#include "hale/provider/file/instance_list.h"
#include "hale/provider/file/read_file.h"

namespace hale::provider::file {
namespace {

// The file is the truth as long as this process knows it: there is no older or newer life of it.
constexpr std::uint64_t kEpoch = 1;

/// What the file held when it was looked at.
struct Reading {
  Result<std::shared_ptr<const InstanceList>> list;
  std::uint64_t number = 0;  ///< grows with each other text
  std::uint64_t asked = 0;   ///< the last question that was asked before it was begun
};

}  // namespace

/// What the loop knows of the file. Touched, and destroyed, on the loop alone.
struct FileRegistry::Inbox {
  explicit Inbox(Executor& executor) : news(executor) {}

  Trigger news;
  std::optional<Reading> latest;
  std::optional<std::string> told_error;
};

/// Between the two threads. May be kept by the watch's for longer than the registry lives, so it
/// owns nothing of the loop's.
struct FileRegistry::Desk {
  Desk(Executor& e, std::weak_ptr<Inbox> to) : executor(e), inbox(std::move(to)) {}

  /// From the watch's thread.
  void Leave(Reading reading) {
    const auto lock = open.Lock();
    if (!*lock) return;
    // Posted under the lock: once the registry is gone nothing reaches an executor that may be
    // gone, too. Post runs nothing here.
    executor.Post([to = inbox, reading = std::move(reading)]() mutable {
      const auto here = to.lock();
      if (!here) return;
      here->latest = std::move(reading);
      here->news.Fire();
    });
  }

  Executor& executor;
  const std::weak_ptr<Inbox> inbox;
  Guarded<bool> open{true};
  std::atomic<std::uint64_t> asked{0};
};

/// Reads the file, on the watch's thread.
class FileRegistry::Clerk {
 public:
  Clerk(std::shared_ptr<Desk> desk, std::string path)
      : desk_(std::move(desk)), path_(std::move(path)) {}

  Sense operator()(Patience patience) {
    const std::uint64_t asked = desk_->asked.load(std::memory_order_acquire);
    auto list = Look();
    const Sense sense = list ? Sense::kMade : Sense::kNone;
    if (list || patience == Patience::kNone) desk_->Leave({std::move(list), number_, asked});
    return sense;
  }

 private:
  Result<std::shared_ptr<const InstanceList>> Look() {
    auto text = ReadFile(path_, config::kMaxDocument);
    if (!text) return std::unexpected(std::move(text.error()));
    if (known_ && text_ == *text) return known_;
    auto parsed = ParseInstanceList(*text, path_);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    text_ = std::move(*text);
    known_ = std::make_shared<const InstanceList>(std::move(*parsed));
    ++number_;
    return known_;
  }

  std::shared_ptr<Desk> desk_;
  std::string path_;
  std::string text_;
  std::shared_ptr<const InstanceList> known_;
  std::uint64_t number_ = 0;
};

FileRegistry::FileRegistry(Executor& executor, FileWatch& watch, std::string path)
    : inbox_(std::make_shared<Inbox>(executor)),
      desk_(std::make_shared<Desk>(executor, inbox_)),
      handle_(watch.Watch(path, Clerk(desk_, path))) {}

FileRegistry::~FileRegistry() { *desk_->open.Lock() = false; }

Task<Result<cluster::Update>> FileRegistry::Next(cluster::Position after) {
  const std::shared_ptr<Inbox> inbox = inbox_;
  const bool afresh = after == cluster::Position();
  // Release: what the caller did to the file before it asked is seen by the reading that answers.
  std::uint64_t question = 0;
  if (afresh) {
    question = desk_->asked.fetch_add(1, std::memory_order_release) + 1;
    handle_.Refresh();
  }
  for (;;) {
    inbox->news.Reset();
    if (inbox->latest && inbox->latest->asked >= question) {
      const Reading& latest = *inbox->latest;
      if (!latest.list) {
        if (inbox->told_error != latest.list.error().message) {
          inbox->told_error = latest.list.error().message;
          co_return std::unexpected(latest.list.error());
        }
      } else if (afresh || inbox->told_error || latest.number > after.number) {
        inbox->told_error.reset();
        cluster::Update update(cluster::Position(kEpoch, latest.number),
                               latest.list.value()->instances);
        update.malformed = latest.list.value()->malformed;
        co_return update;
      }
    }
    const Trigger::Ended ended = co_await inbox->news.Wait();
    if (ended == Trigger::Ended::kStopped) co_return Fail(Code::kCancelled, "stopped");
  }
}

}  // namespace hale::provider::file
