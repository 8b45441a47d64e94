#include "app/demo_teller.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <string>
#include <thread>

#include "app/demo_http.h"
#include "app/demo_journal.h"
#include "app/demo_load.h"

namespace hale::app {
namespace {

constexpr Duration kTick = 20ms;
constexpr Duration kLook = 200ms;  // from one look into the journal to the next

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
        DemoLoadOptions{.port = fleet_.port(), .length = phase.length, .flood = phase.flood},
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

Result<DemoRows> Tell(const std::vector<DemoPhase>& story, DemoFleet& fleet, DemoNarrator& narrator,
                      const std::atomic<bool>& stop) {
  Teller teller(fleet, narrator, stop);
  return teller.Tell(story);
}

}  // namespace hale::app
