#include "app/demo_story.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hale::app {
namespace {

// A request that is under way when something happens belongs to the phase in which it happens, so
// the callers of a phase come before its first step. A tenth of the shortest phase.
constexpr double kEarly = 0.06;
// Beyond the route's deadline of 2 s: whoever waits for a stopped backend has given up in it.
constexpr Duration kShortestStop = 2800ms;
constexpr Duration kShortest = 500ms;

struct Part {
  DemoPhase phase;
  double share;  // of the whole story
};

std::vector<Part> Parts() {
  using A = DemoAction;
  const auto phase = [](std::string_view name, std::vector<DemoStep> steps) {
    DemoPhase made;
    made.name = name;
    made.steps = std::move(steps);
    return made;
  };
  std::vector<Part> parts;
  parts.push_back({phase("all is well", {}), 0.10});
  parts.push_back({phase("b is dead", {{A::kKill, kEarly}}), 0.12});
  parts.back().phase.fault = true;
  parts.push_back({phase("b is back", {{A::kRestart, kEarly}}), 0.12});
  parts.push_back({phase("c is stopped", {{A::kStop, kEarly}}), 0.14});
  parts.back().phase.fault = true;
  parts.push_back({phase("c goes on", {{A::kContinue, kEarly}}), 0.10});
  parts.push_back({phase("a is slow", {{A::kSlow, kEarly}}), 0.12});
  parts.push_back({phase("a is fast again", {{A::kNormal, kEarly}}), 0.08});
  parts.push_back({phase("a caller floods", {{A::kFlood, 0}}), 0.10});
  parts.back().phase.flood = true;
  parts.push_back(
      {phase("the document changes", {{A::kBadEdit, kEarly}, {A::kGoodEdit, 0.5}}), 0.12});
  return parts;
}

std::vector<DemoPhase> Stretched(std::vector<Part> parts, Duration whole) {
  std::vector<DemoPhase> story;
  for (Part& part : parts) {
    const bool stops = std::any_of(part.phase.steps.begin(), part.phase.steps.end(),
                                   [](const DemoStep& s) { return s.action == DemoAction::kStop; });
    part.phase.length = std::max(Scale(whole, part.share), stops ? kShortestStop : kShortest);
    story.push_back(std::move(part.phase));
  }
  return story;
}

}  // namespace

std::vector<DemoPhase> HaleStory(Duration whole) { return Stretched(Parts(), whole); }

std::vector<DemoPhase> BareStory(Duration whole) {
  std::vector<Part> parts = Parts();
  parts.pop_back();
  return Stretched(std::move(parts), whole / 2);
}

Duration LengthOf(const std::vector<DemoPhase>& story) {
  return std::accumulate(story.begin(), story.end(), Duration(0),
                         [](Duration sum, const DemoPhase& phase) { return sum + phase.length; });
}

}  // namespace hale::app
