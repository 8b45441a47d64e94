#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hale/base/time.h"

namespace hale::app {

/// How requests fared.
struct DemoTally {
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;  ///< refused, wrong, or without an answer in time
  Duration slowest{0};       ///< from the instant it was due

  void Add(const DemoTally& other);
};

/// One phase of the story, as its users saw it.
struct DemoRow {
  std::string name;
  bool fault = false;  ///< a backend was dead or stopped in it: whoever has no policies sees that
  DemoTally users;
  DemoTally flooder;  ///< no requests: it was quiet
};

/// What one telling of the story came to; the phases in order.
using DemoRows = std::vector<DemoRow>;

/// Both tellings. Either may be missing.
struct DemoReport {
  std::optional<DemoRows> hale;
  std::optional<DemoRows> bare;
};

/// Exit codes of `hale demo`.
enum class DemoVerdict : std::uint8_t {
  kPassed = 0,
  kUserFailed = 1,   ///< with Hale, a request of somebody who did not flood failed
  kNoStory = 2,      ///< without, none failed while a backend was dead or stopped
  kInterrupted = 3,  ///< by a signal
  kNotStarted = 4,   ///< the arguments were wrong, or a process did not come up
};

DemoTally Users(const DemoRows& rows);
DemoTally Flooder(const DemoRows& rows);

/// kPassed, kUserFailed or kNoStory. Pure.
DemoVerdict Judge(const DemoReport& report);

/// The table and what it says in a sentence or two. Pure.
std::string DemoTable(const DemoReport& report);

/// `1234567` as `1,234,567`. Pure.
std::string Grouped(std::uint64_t number);

}  // namespace hale::app
