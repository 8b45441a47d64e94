#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hale/base/clock.h"

namespace hale::app {

/// Prints what happens in the demo as it happens, each line with the time since Begin, and keeps
/// it. Not thread-safe.
class DemoNarrator final {
 public:
  enum class Who : std::uint8_t { kYou, kHale };
  struct Options {
    bool quiet = false;     ///< prints nothing, only keeps
    bool colour = false;    ///< of the text
    bool progress = false;  ///< a last line on stderr that comes and goes
  };
  struct Line {
    Duration at{0};
    Who who = Who::kYou;
    std::string text;
  };

  explicit DemoNarrator(const Options& options) : options_(options) {}

  /// The clock of the story starts.
  void Begin() { start_ = RealClock().Now(); }
  Duration Elapsed() const { return RealClock().Now() - start_; }

  void Title(std::string_view text);
  void Plain(std::string_view text);
  void Say(Who who, std::string_view text);
  void Progress(std::string_view text);
  void EndProgress();
  const std::vector<Line>& lines() const { return lines_; }

 private:
  Options options_;
  TimePoint start_{};
  bool progress_shown_ = false;
  std::vector<Line> lines_;  ///< a few dozen
};

/// `t= 4.1s  you:  ...`, with the name in colour or not; a whole line. Pure.
std::string Text(const DemoNarrator::Line& line, bool colour);

/// `you`, `hale`.
std::string_view Word(DemoNarrator::Who who);

}  // namespace hale::app
