#include "hale/policy/circuit_breaker_window.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

constexpr std::int64_t kMostSlots = 32;

Duration WidthOf(const CircuitBreakerOptions& options) {
  return std::max(Duration(1), options.window / std::clamp<int>(options.buckets, 1, kMostSlots));
}

// Room for the window, and for calls until they are hung.
std::int64_t SlotsOf(const CircuitBreakerOptions& options) {
  const std::int64_t window = std::clamp<std::int64_t>(options.buckets, 1, kMostSlots);
  const Duration hung_after = HungAfter(options);
  if (hung_after == kForever) return window;
  const Duration width = WidthOf(options);
  const std::int64_t until_hung = (hung_after - Duration(1)) / width + 2;
  return std::clamp(until_hung, window, kMostSlots);
}

std::int32_t Signed(std::uint32_t count) { return static_cast<std::int32_t>(count); }

}  // namespace

CircuitWindow::CircuitWindow(const CircuitBreakerOptions& options) { Rebucket(options); }

std::int64_t CircuitWindow::Index(TimePoint at) const {
  const std::int64_t ns = at.time_since_epoch().count();
  const std::int64_t width = width_.count();
  return ns / width - (ns % width < 0 ? 1 : 0);
}

bool CircuitWindow::Holds(std::int64_t index) const {
  const std::int64_t age = Index(latest_) - index;
  return age >= 0 && age < slots_;
}

std::size_t CircuitWindow::Slot(std::int64_t index) const {
  const std::int64_t slot = index % slots_;
  return static_cast<std::size_t>(slot < 0 ? slot + slots_ : slot);
}

std::uint32_t& CircuitWindow::Cell(Row row, std::int64_t index) const {
  return cells_[static_cast<std::size_t>(row) * slots_ + Slot(index)];
}

bool CircuitWindow::Rolls(TimePoint now) const {
  const std::int64_t index = Index(now);
  const std::int64_t head = Index(latest_);
  return index > head || index < head - window_slots_;
}

bool CircuitWindow::Roll(TimePoint now) {
  const std::int64_t index = Index(now);
  const std::int64_t head = Index(latest_);
  const bool elsewhere = index < head - window_slots_;  // no step of a clock: another time
  latest_ = elsewhere ? now : std::max(latest_, now);
  if (index <= head && !elsewhere) return false;
  const std::int64_t leaving = elsewhere ? slots_ : std::min<std::int64_t>(slots_, index - head);
  for (std::int64_t i = index - leaving + 1; i <= index; ++i) {
    lingering_ += Signed(Cell(kOut, i));
    for (std::uint8_t row = 0; row < rows_; ++row) Cell(static_cast<Row>(row), i) = 0;
  }
  // Beyond the ring it makes no difference.
  moved_ = static_cast<std::uint8_t>(std::min<std::int64_t>(kNotMoved, moved_ + leaving));
  return true;
}

void CircuitWindow::CountOut(TimePoint sent, std::int32_t by) {
  const std::int64_t index = std::max(Index(sent), Index(latest_) - moved_);
  if (Holds(index)) {
    Cell(kOut, index) += static_cast<std::uint32_t>(by);
  } else {
    lingering_ += by;
  }
}

TimePoint CircuitWindow::Send(TimePoint now) {
  Roll(now);
  ++Cell(kOut, Index(latest_));
  return latest_;
}

void CircuitWindow::Answer(TimePoint sent, Verdict verdict) {
  CountOut(sent, -1);
  const std::int64_t index = Index(sent);
  if (verdict == Verdict::kIgnored || !Holds(index)) return;
  const Row bad = verdict == Verdict::kSlow && rows_ > kSlow ? kSlow : kFailed;
  ++Cell(verdict == Verdict::kGood ? kGood : bad, index);
}

void CircuitWindow::Add(TimePoint sent, const CircuitCounts& counts) {
  CountOut(sent, Signed(counts.sent - counts.good - counts.ignored));
  const std::int64_t index = Index(sent);
  if (Holds(index)) Cell(kGood, index) += counts.good;
}

void CircuitWindow::Clear() {
  std::fill_n(cells_.get(), slots_ * rows_, 0U);
  lingering_ = 0;
  moved_ = kNotMoved;
}

bool CircuitWindow::Rebucket(const CircuitBreakerOptions& options) {
  CircuitWindow before = std::move(*this);
  width_ = WidthOf(options);
  window_slots_ = static_cast<std::uint8_t>(std::clamp<int>(options.buckets, 1, kMostSlots));
  slots_ = static_cast<std::uint8_t>(SlotsOf(options));
  rows_ = options.slow_call > Duration::zero() ? kSlow + 1 : kSlow;
  if (width_ == before.width_ && window_slots_ == before.window_slots_ && slots_ == before.slots_ &&
      rows_ == before.rows_) {
    cells_ = std::move(before.cells_);
    return false;
  }
  cells_ = std::make_unique<std::uint32_t[]>(static_cast<std::size_t>(slots_) * rows_);
  if (before.cells_ == nullptr) return true;
  const std::int64_t head = before.Index(latest_);
  for (std::int64_t old = head - before.slots_ + 1; old <= head; ++old) {
    const TimePoint last = TimePoint(before.width_ * (old + 1)) - Duration(1);
    const std::int64_t index = Index(std::min(last, latest_));
    lingering_ += Signed(before.Cell(kOut, old));
    if (!Holds(index)) continue;
    Cell(kGood, index) += before.Cell(kGood, old);
    Cell(kFailed, index) += before.Cell(kFailed, old);
    if (before.rows_ > kSlow) {
      Cell(rows_ > kSlow ? kSlow : kFailed, index) += before.Cell(kSlow, old);
    }
  }
  moved_ = 0;
  Cell(kOut, Index(latest_)) = static_cast<std::uint32_t>(std::exchange(lingering_, 0));
  return true;
}

CircuitEvidence CircuitWindow::Evidence(TimePoint now, Duration hung_after) const {
  CircuitEvidence evidence;
  const std::int64_t head = Index(latest_);
  const TimePoint latest = std::max(latest_, now);
  const std::int64_t newest = Index(latest);
  const bool tells_hung = hung_after != kForever;
  const std::int64_t young = Index(SaturatingAdd(latest, -hung_after));
  std::int64_t hung = tells_hung ? lingering_ : 0;
  std::int64_t in_row = hung;
  std::size_t slot = Slot(head + 1);  // of the oldest
  for (std::int64_t index = head - slots_ + 1; index <= head; ++index) {
    const std::uint32_t* const cell = &cells_[slot];
    const std::uint32_t good = cell[kGood * slots_];
    const bool in_window = index > newest - window_slots_;
    if (in_window) {
      evidence.good += good;
      evidence.failed += cell[kFailed * slots_];
      if (rows_ > kSlow) evidence.slow += cell[kSlow * slots_];
    }
    const bool went_well = in_window && good > 0;
    if (went_well) in_row = 0;
    if (tells_hung && index < young) {
      const std::int32_t out = Signed(cell[kOut * slots_]);
      hung += out;
      if (!went_well) in_row += out;
    }
    slot = slot + 1 < slots_ ? slot + 1 : 0;
  }
  evidence.hung = static_cast<std::uint64_t>(std::max<std::int64_t>(0, hung));
  evidence.hung_in_row = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_row));
  return evidence;
}

}  // namespace hale::policy
