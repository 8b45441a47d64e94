#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace hale::telemetry {

/// Eight copies of every number, one for each of eight groups of threads, so that event loops do
/// not fight for a cache line; the sum is made when somebody reads. Numbers of one group lie side
/// by side in a page.
inline constexpr std::size_t kCellShards = 8;
inline constexpr std::size_t kCellsAPage = 512;

/// The group of the calling thread: threads are dealt round.
std::size_t CellShard();

/// One number. A relaxed atomic add to memory that other loops rarely touch, about 2 ns.
/// Thread-safe.
class Cell {
 public:
  void Add(std::uint64_t by) const {
    first_[CellShard() * kCellsAPage].fetch_add(by, std::memory_order_relaxed);
  }
  std::uint64_t Sum() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kCellShards; ++i) {
      sum += first_[i * kCellsAPage].load(std::memory_order_relaxed);
    }
    return sum;
  }
  /// The i-th of several that were made together.
  Cell operator[](std::size_t i) const { return Cell(first_ + i); }

 private:
  friend class CellPool;
  explicit Cell(std::atomic<std::uint64_t>* first) : first_(first) {}
  std::atomic<std::uint64_t>* first_;
};

/// Where cells come from; they live as long as it does. Not thread-safe.
class CellPool {
 public:
  /// `count` (at most kCellsAPage) cells side by side, all zero.
  Cell Make(std::size_t count);

 private:
  struct alignas(64) Page {
    std::array<std::atomic<std::uint64_t>, kCellShards * kCellsAPage> cells{};
  };
  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t used_ = kCellsAPage;  // of the last page
};

}  // namespace hale::telemetry
