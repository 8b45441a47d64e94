#pragma once

#include <cstdint>
#include <optional>

#include "hale/base/time.h"

namespace hale::provider::file {

/// How long a changed file is let alone before it is read.
struct SettlingOptions {
  Duration quiet = std::chrono::milliseconds(50);  ///< after the last change
  Duration open = std::chrono::seconds(1);         ///< the same while its writer has not closed it
  Duration gone = std::chrono::seconds(1);     ///< before an absence counts: editors rename away
  Duration longest = std::chrono::seconds(5);  ///< a file that never rests is read all the same
  Duration again = std::chrono::milliseconds(200);  ///< before what made no sense is read again
  std::uint32_t agains = 3;                         ///< times at most, then it is meant
};

/// Decides when a file that changes is worth reading: once nobody writes it any more, so that half
/// a file is not taken for all of it. Pure. Not thread-safe.
class Settling {
 public:
  explicit Settling(const SettlingOptions& options) : options_(options) {}

  enum class Change : std::uint8_t {
    kWritten,   ///< its writer may go on
    kClosed,    ///< its writer is done
    kReplaced,  ///< by another file
    kGone,
    kNoticed,  ///< it is not known how; ends no wait for a writer
  };
  void Touch(Change change, TimePoint now);
  /// Read it now, whatever it does.
  void Hurry(TimePoint now);
  /// When to read it; kNever while nothing changed since it was read.
  TimePoint due() const;
  /// It is being read.
  void Read();
  /// Whether what makes no sense would be read again: otherwise it is meant.
  bool patient() const { return agains_ < options_.agains; }
  /// What was read made no sense; read again later, when patient.
  void Again(TimePoint now);
  /// What was read made sense.
  void Done() { agains_ = 0; }

 private:
  SettlingOptions options_;
  std::optional<TimePoint> first_;
  TimePoint last_{};
  Change how_ = Change::kReplaced;
  std::optional<TimePoint> hurried_;
  std::uint32_t agains_ = 0;
};

}  // namespace hale::provider::file
