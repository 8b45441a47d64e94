#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>

#include "hale/base/event.h"
#include "hale/base/time.h"
#include "hale/telemetry/fixed_text.h"

namespace hale::telemetry {

/// One thing that was decided about one request.
struct Decision {
  Duration offset{0};  ///< since the request began
  EventKind kind = EventKind::kRefused;
  Reason reason = Reason::kNone;
  FixedText<22> policy;
  FixedText<30> service;  ///< or route
  FixedText<46> instance;
  double observed = 0;
  double threshold = 0;
  Duration span{0};
  FixedText<126> detail;  ///< the longest: why, and which limit it was
};

/// What was decided about one request, carried along by it: the first twelve decisions stand in the
/// trail itself, so that adding one costs a copy; later ones are counted. A trail that nothing was
/// added to touches no more than its counters. Not thread-safe.
class RequestTrail {
 public:
  explicit RequestTrail(TimePoint began) : began_(began) {}
  RequestTrail(const RequestTrail& other) { *this = other; }
  RequestTrail& operator=(const RequestTrail& other);

  /// Long texts are cut.
  void Add(const Event& event);
  std::span<const Decision> decisions() const {
    if (size_ == 0) return {};
    return {std::launder(reinterpret_cast<const Decision*>(bytes_)), size_};
  }
  bool empty() const { return size_ == 0; }
  bool Has(EventKind kind) const { return (kinds_ >> static_cast<unsigned>(kind) & 1U) != 0; }
  /// Decisions that found no room.
  std::uint32_t missed() const { return missed_; }
  TimePoint began() const { return began_; }

  static constexpr std::size_t kMaxDecisions = 12;

 private:
  static_assert(std::is_trivially_destructible_v<Decision>);
  static_assert(static_cast<unsigned>(EventKind::kCount) <= 32, "kinds_ has a bit for each kind");
  void* Place(std::size_t i) { return bytes_ + i * sizeof(Decision); }

  TimePoint began_;
  std::uint32_t kinds_ = 0;  // a bit a kind
  std::uint32_t missed_ = 0;
  std::size_t size_ = 0;
  alignas(Decision) std::byte bytes_[kMaxDecisions * sizeof(Decision)];
};

}  // namespace hale::telemetry
