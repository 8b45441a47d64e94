#include "app/demo_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <numeric>
#include <optional>
#include <thread>

#include "app/demo_http.h"
#include "app/demo_journal.h"
#include "app/demo_load.h"

namespace hale::app {
namespace {

constexpr Duration kTick = 20ms;
constexpr Duration kLook = 200ms;  // from one look into the journal to the next
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

/// One telling. Not thread-safe.
class Teller final {
 public:
  Teller(DemoFleet& fleet, DemoNarrator& narrator, const std::atomic<bool>& stop)
      : fleet_(fleet), narrator_(narrator), stop_(stop), journal_(fleet.Names()) {}

  Result<DemoRows> Tell(const std::vector<DemoPhase>& story) {
    ReadJournal();  // what happened before is not of the story
    narrator_.Begin();
    Duration begin{0};
    for (const DemoPhase& phase : story) {
      if (Result<void> told = Tell(phase, begin); !told) return std::unexpected(told.error());
      begin += phase.length;
    }
    narrator_.Progress("waiting for the last answers");
    DemoRows rows;
    for (std::size_t i = 0; DemoLoad & load : loads_) {
      DemoRow& row = rows.emplace_back();
      row.name = story[i].name;
      row.fault = story[i].fault;
      load.Finish(row);
      ++i;
    }
    narrator_.EndProgress();
    if (journal_.second_chances() > 0) {
      narrator_.Say(DemoNarrator::Who::kHale,
                    fmt::format("in all, {} requests were sent to a second backend",
                                Grouped(journal_.second_chances())));
    }
    if (stop_.load()) return Fail(Code::kCancelled, "interrupted");
    return rows;
  }

 private:
  Result<void> Tell(const DemoPhase& phase, Duration begin) {
    journal_.Forget();
    loads_.emplace_back(
        DemoLoad::Options{.port = fleet_.port(), .length = phase.length, .flood = phase.flood},
        stop_);
    for (const DemoStep& step : phase.steps) {
      if (Result<void> waited = WaitUntil(begin + Scale(phase.length, step.at), phase.name);
          !waited) {
        return waited;
      }
      const Result<std::string> done = fleet_.Do(step.action);
      if (!done) return std::unexpected(done.error());
      narrator_.Say(DemoNarrator::Who::kYou, *done);
    }
    return WaitUntil(begin + phase.length, phase.name);
  }

  Result<void> WaitUntil(Duration until, std::string_view phase) {
    while (narrator_.Elapsed() < until) {
      if (stop_.load(std::memory_order_relaxed)) return Fail(Code::kCancelled, "interrupted");
      if (narrator_.Elapsed() >= look_) {
        look_ = narrator_.Elapsed() + kLook;
        if (!fleet_.Alive()) return Fail(Code::kUnavailable, "the gateway has ended");
        for (const std::string& sentence : ReadJournal()) {
          if (fleet_.policies()) narrator_.Say(DemoNarrator::Who::kHale, sentence);
        }
        narrator_.Progress(fmt::format("t={:4.1f}s  {}", Seconds(narrator_.Elapsed()), phase));
      }
      std::this_thread::sleep_for(
          std::min(kTick, std::max(until - narrator_.Elapsed(), Duration(0))));
    }
    return {};
  }

  std::vector<std::string> ReadJournal() {
    const std::string path = "/journal?since=" + std::to_string(journal_.next());
    return journal_.Read(Ask({.port = fleet_.admin(), .path = path}).body);
  }

  DemoFleet& fleet_;
  DemoNarrator& narrator_;
  const std::atomic<bool>& stop_;
  DemoJournal journal_;
  std::list<DemoLoad> loads_;  // one a phase; the last answers of one come in the next
  Duration look_{0};
};

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

Result<DemoRows> Tell(const std::vector<DemoPhase>& story, DemoFleet& fleet, DemoNarrator& narrator,
                      const std::atomic<bool>& stop) {
  Teller teller(fleet, narrator, stop);
  return teller.Tell(story);
}

}  // namespace hale::app
