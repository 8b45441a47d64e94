#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hale/base/time.h"
#include "hale/policy/lanes.h"

namespace hale::policy {

/// Calls, and what became of them. A value.
struct ThrottleCounts {
  std::uint64_t sent = 0;   ///< attempts that were taken or turned away
  std::uint64_t taken = 0;  ///< of them
  std::uint64_t held = 0;   ///< calls that were not sent

  std::uint64_t requests() const { return sent + held; }
  ThrottleCounts& operator+=(const ThrottleCounts& other) {
    sent += other.sent;
    taken += other.taken;
    held += other.held;
    return *this;
  }
  friend bool operator==(const ThrottleCounts&, const ThrottleCounts&) = default;
};

/// What the calls of one thread, or of many, came to in each of the last 64 seconds. A second that
/// comes round again begins at zero. About 1 ns to count for a single writer. Thread-safe.
class alignas(64) ThrottleLane {
 public:
  static constexpr std::int64_t kSeconds = 64;

  explicit ThrottleLane(Writers writers) : alone_(writers == Writers::kOne) {}

  /// Which second an instant is in.
  static std::int64_t Second(TimePoint at);

  void Sent(std::int64_t second, bool taken);
  void Held(std::int64_t second);
  /// Nothing of a second that this lane has not counted in, or no longer knows.
  ThrottleCounts Read(std::int64_t second) const;

 private:
  using Cell = std::atomic<std::uint64_t>;
  template <class Step>
  void Change(Cell& cell, Step step);
  static std::size_t Slot(std::int64_t second) {
    return static_cast<std::size_t>(second & (kSeconds - 1));
  }

  const bool alone_;
  std::array<Cell, kSeconds> sent_{};  // the second's number (20 bits), sent, taken (22 bits each)
  std::array<Cell, kSeconds> held_{};  // the second's number (20 bits), held
};

}  // namespace hale::policy
