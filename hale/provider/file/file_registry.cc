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

/// Where readings are left for the loop. Outlives the registry as long as the reader needs it.
struct FileRegistry::Desk : std::enable_shared_from_this<Desk> {
  explicit Desk(Executor& e) : executor(e), news(e) {}

  /// From the watch's thread.
  void Leave(Reading reading) {
    const auto lock = open.Lock();
    if (!*lock) return;
    // Posted under the lock: once the registry is gone nothing reaches an executor that may be
    // gone, too. Post runs nothing here.
    executor.Post([self = shared_from_this(), reading = std::move(reading)]() mutable {
      self->latest = std::move(reading);
      self->news.Fire();
    });
  }

  Executor& executor;
  Guarded<bool> open{true};
  std::atomic<std::uint64_t> asked{0};
  // Loop-bound.
  Trigger news;
  std::optional<Reading> latest;
  std::optional<std::string> told_error;
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
    : desk_(std::make_shared<Desk>(executor)), handle_(watch.Watch(path, Clerk(desk_, path))) {}

FileRegistry::~FileRegistry() { *desk_->open.Lock() = false; }

Task<Result<cluster::Update>> FileRegistry::Next(cluster::Position after) {
  const std::shared_ptr<Desk> desk = desk_;
  const bool afresh = after == cluster::Position();
  // Release: what the caller did to the file before it asked is seen by the reading that answers.
  std::uint64_t question = 0;
  if (afresh) {
    question = desk->asked.fetch_add(1, std::memory_order_release) + 1;
    handle_.Refresh();
  }
  for (;;) {
    desk->news.Reset();
    if (desk->latest && desk->latest->asked >= question) {
      const Reading& latest = *desk->latest;
      if (!latest.list) {
        if (desk->told_error != latest.list.error().message) {
          desk->told_error = latest.list.error().message;
          co_return std::unexpected(latest.list.error());
        }
      } else if (afresh || desk->told_error || latest.number > after.number) {
        desk->told_error.reset();
        cluster::Update update(cluster::Position(kEpoch, latest.number),
                               latest.list.value()->instances);
        update.malformed = latest.list.value()->malformed;
        co_return update;
      }
    }
    if (co_await desk->news.Wait() == Trigger::Ended::kStopped) {
      co_return Fail(Code::kCancelled, "stopped");
    }
  }
}

}  // namespace hale::provider::file
