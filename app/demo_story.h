#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hale/base/time.h"

namespace hale::app {

/// What is done to the fleet in the story.
enum class DemoAction : std::uint8_t {
  kKill,
  kRestart,
  kStop,
  kContinue,
  kSlow,
  kNormal,
  kFlood,  ///< nothing to the fleet: the load does it
  kBadEdit,
  kGoodEdit,
};

/// One thing that is done in a phase.
struct DemoStep {
  DemoAction action = DemoAction::kKill;
  double at = 0;  ///< share of the phase that has passed, in [0, 1)
};

/// A part of the story whose users are counted together.
struct DemoPhase {
  std::string_view name;
  Duration length{0};
  bool fault = false;
  bool flood = false;
  std::vector<DemoStep> steps;
};

/// The whole story in `seconds`, or the one for a gateway without policies: half as long, as it
/// is only there to compare, and without the edits, which no policy has a part in. Phases keep a
/// least length, below which what they show would not happen. Pure.
std::vector<DemoPhase> HaleStory(Duration whole);
std::vector<DemoPhase> BareStory(Duration whole);

/// How long it takes, after the last request is due. Pure.
Duration LengthOf(const std::vector<DemoPhase>& story);

}  // namespace hale::app
