#include "hale/telemetry/metric_cells.h"

namespace hale::telemetry {
namespace {

std::size_t NextShard() {
  static std::atomic<std::size_t> threads{0};
  return threads.fetch_add(1, std::memory_order_relaxed) % kCellShards;
}

}  // namespace

std::size_t CellShard() {
  thread_local const std::size_t shard = NextShard();
  return shard;
}

Cell CellPool::Make(std::size_t count) {
  if (used_ + count > kCellsAPage) {
    pages_.push_back(std::make_unique<Page>());
    used_ = 0;
  }
  const Cell cell(&pages_.back()->cells[used_]);
  used_ += count;
  return cell;
}

}  // namespace hale::telemetry
