#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

#include "hale/base/time.h"
#include "hale/telemetry/log_sink.h"

namespace hale::telemetry {

struct LogQueueOptions {
  std::size_t bytes = std::size_t{8} << 20;         ///< waiting at most, over all threads
  Duration linger = std::chrono::milliseconds(20);  ///< lines are gathered this long
};

/// What became of all lines: created = written + dropped + queued, at any instant.
struct LogStats {
  std::uint64_t created = 0;
  std::uint64_t written = 0;
  std::uint64_t dropped_full = 0;   ///< there was no room
  std::uint64_t dropped_error = 0;  ///< the sink could not take them
  std::uint64_t queued = 0;         ///< waiting, or just being written
};

/// Finished lines on their way to a sink, in bounded memory that is allocated once. A push copies
/// the line under a lock that threads share only when there are more than eight of them, and never
/// waits for the sink: a full queue drops and counts. Lines of one thread keep their order.
/// Thread-safe.
class LogQueue {
 public:
  /// The sink outlives me.
  explicit LogQueue(LogSink& sink, const LogQueueOptions& options = {});
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  ~LogQueue();

  /// False when the line was dropped. A line ends with a line feed.
  bool Push(std::string_view line) noexcept;
  /// Hands all that waits to the sink, in the caller's thread; one caller at a time.
  void Drain() noexcept;
  LogStats stats() const;

  /// For the writer: returns when something waits and has lingered, or soon after `stop`.
  void WaitForLines(std::stop_token stop);

 private:
  struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::uint64_t lines = 0;
  };
  /// One buffer is filled while the other is written.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Buffer filling;
    std::uint64_t created = 0;
    std::uint64_t dropped = 0;
    Buffer draining;  // under drain_mutex_
  };
  void Wake(bool urgent) noexcept;

  static constexpr std::size_t kShards = 8;
  LogSink& sink_;
  const LogQueueOptions options_;
  const std::size_t shard_bytes_;
  std::array<Shard, kShards> shards_;
  std::mutex drain_mutex_;
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_error_{0};
  std::mutex wake_mutex_;
  std::condition_variable_any wake_;
  bool waiting_lines_ = false;  // both under wake_mutex_
  bool urgent_ = false;
};

/// The thread that drains a queue; its destructor drains what is left. Thread-safe.
class LogWriter {
 public:
  /// The queue outlives me.
  explicit LogWriter(LogQueue& queue);

 private:
  std::jthread thread_;
};

}  // namespace hale::telemetry
