#include "hale/telemetry/log_queue.h"

#include <cstring>
#include <utility>

#include "hale/telemetry/metric_cells.h"

namespace hale::telemetry {

LogQueue::LogQueue(LogSink& sink, const LogQueueOptions& options)
    : sink_(sink), options_(options), shard_bytes_(options.bytes / kShards / 2) {
  for (Shard& shard : shards_) {
    shard.filling.bytes = std::make_unique_for_overwrite<char[]>(shard_bytes_);
    shard.draining.bytes = std::make_unique_for_overwrite<char[]>(shard_bytes_);
  }
}

LogQueue::~LogQueue() { Drain(); }

bool LogQueue::Push(std::string_view line) noexcept {
  // Threads are dealt to shards as they are to metric cells.
  Shard& shard = shards_[CellShard() % kShards];
  bool was_empty = false;
  bool half_full = false;
  {
    const std::lock_guard lock(shard.mutex);
    Buffer& buffer = shard.filling;
    ++shard.created;
    if (line.size() > shard_bytes_ - buffer.size) {
      ++shard.dropped;
      return false;
    }
    std::memcpy(buffer.bytes.get() + buffer.size, line.data(), line.size());
    was_empty = buffer.size == 0;
    half_full = buffer.size < shard_bytes_ / 2 && buffer.size + line.size() >= shard_bytes_ / 2;
    buffer.size += line.size();
    ++buffer.lines;
  }
  // Only the first line and the one that crosses the half wake the writer.
  if (was_empty || half_full) Wake(half_full);
  return true;
}

void LogQueue::Drain() noexcept {
  const std::lock_guard draining(drain_mutex_);
  for (Shard& shard : shards_) {
    {
      const std::lock_guard lock(shard.mutex);
      std::swap(shard.filling, shard.draining);
    }
    Buffer& buffer = shard.draining;
    if (buffer.size == 0) continue;
    const bool written = sink_.Write({buffer.bytes.get(), buffer.size});
    // Release: whoever sees these lines as written sees that they were created.
    (written ? written_ : dropped_error_).fetch_add(buffer.lines, std::memory_order_release);
    buffer.size = 0;
    buffer.lines = 0;
  }
}

LogStats LogQueue::stats() const {
  LogStats stats;
  // Before the shards: what ends while we count is then still queued, never counted twice.
  stats.written = written_.load(std::memory_order_acquire);
  stats.dropped_error = dropped_error_.load(std::memory_order_acquire);
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    stats.created += shard.created;
    stats.dropped_full += shard.dropped;
  }
  stats.queued = stats.created - stats.dropped_full - stats.written - stats.dropped_error;
  return stats;
}

void LogQueue::Wake(bool urgent) noexcept {
  {
    const std::lock_guard lock(wake_mutex_);
    waiting_lines_ = true;
    urgent_ = urgent_ || urgent;
  }
  wake_.notify_one();
}

void LogQueue::WaitForLines(std::stop_token stop) {
  std::unique_lock lock(wake_mutex_);
  wake_.wait(lock, stop, [&] { return waiting_lines_; });
  wake_.wait_for(lock, stop, options_.linger, [&] { return urgent_; });
  waiting_lines_ = false;
  urgent_ = false;
}

LogWriter::LogWriter(LogQueue& queue)
    : thread_([&queue](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          queue.WaitForLines(stop);
          queue.Drain();
        }
        queue.Drain();
      }) {}

}  // namespace hale::telemetry
