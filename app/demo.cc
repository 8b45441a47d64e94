#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "app/commands.h"
#include "app/demo_fleet.h"
#include "app/demo_json.h"
#include "app/demo_narrator.h"
#include "app/demo_report.h"
#include "app/demo_story.h"
#include "app/demo_teller.h"

namespace hale::app {
namespace {

constexpr const char* kAbout =
    "Three backends, a gateway in front of them, users who notice nothing while you break things,\n"
    "and the same without policies, to compare. All of it runs on this machine, on free ports.";
constexpr const char* kFooter =
    "Examples:\n"
    "  hale demo           the story with Hale, about 40 s, then without, about 20 s\n"
    "  hale demo --quick   both in about 17 s\n"
    "  hale demo --bare    only without\n\n"
    "Exit codes: 0 as promised, 1 with Hale a user's request failed, 2 without it none failed "
    "while\n"
    "a backend was dead or stopped, so nothing was shown, 3 interrupted, 4 it could not start.";

std::atomic<bool> stopped{false};

struct Options {
  bool bare = false;
  bool json = false;
  bool quick = false;
  double seconds = 40;
};

constexpr double kQuickSeconds = 9;

int Exit(DemoVerdict verdict) { return static_cast<int>(verdict); }

void StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { stopped.store(true, std::memory_order_relaxed); };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<DemoRows> Run(bool policies, const std::vector<DemoPhase>& story, DemoNarrator& narrator) {
  narrator.Progress("starting three backends and a gateway");
  Result<DemoFleet> fleet = DemoFleet::Start(policies, stopped);
  narrator.EndProgress();
  if (!fleet) return std::unexpected(fleet.error());
  return Tell(story, *fleet, narrator, stopped);
}

/// Says why, when a telling did not come to its end.
DemoVerdict Ended(const Error& error, DemoNarrator& narrator) {
  narrator.EndProgress();
  if (error.code == Code::kCancelled) {
    std::fputs("hale demo: interrupted; its processes and files are gone\n", stderr);
    return DemoVerdict::kInterrupted;
  }
  std::fprintf(stderr, "hale demo: %s\n", error.message.c_str());
  return DemoVerdict::kNotStarted;
}

}  // namespace

int RunDemo(std::span<const std::string> arguments) {
  CLI::App cli(kAbout, "hale demo");
  Options options;
  cli.add_flag("--bare", options.bare, "only the story without policies");
  cli.add_flag("--json", options.json, "one JSON object instead of text");
  cli.add_option("--seconds", options.seconds, "length of the story with Hale; without, half")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  cli.add_flag("--quick", options.quick, "as short as it can be");
  cli.footer(kFooter);
  try {
    cli.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : Exit(DemoVerdict::kNotStarted);
  }
  const Duration whole = Scale(1s, options.quick ? kQuickSeconds : options.seconds);
  const char* no_colour = std::getenv("NO_COLOR");
  const bool colour = no_colour == nullptr || *no_colour == '\0';
  DemoNarrator narrator({.quiet = options.json,
                         .colour = colour && isatty(STDOUT_FILENO) != 0,
                         .progress = isatty(STDERR_FILENO) != 0});
  StopOnSignals();

  DemoReport report;
  for (const bool policies : {true, false}) {
    if (policies && options.bare) continue;
    const std::vector<DemoPhase> story = policies ? HaleStory(whole) : BareStory(whole);
    const char* title = policies ? "With Hale: four users, 500 requests a second, three backends"
                                 : "Without: the same gateway and users, every policy off";
    narrator.Title(fmt::format("{} ({:.0f} s)", title, Seconds(LengthOf(story))));
    Result<DemoRows> rows = Run(policies, story, narrator);
    if (!rows) return Exit(Ended(rows.error(), narrator));
    (policies ? report.hale : report.bare) = std::move(*rows);
  }
  const DemoVerdict verdict = Judge(report);
  if (options.json) {
    std::fputs((DemoJson(report, narrator.lines()) + "\n").c_str(), stdout);
  } else {
    narrator.Title("What the users saw");
    narrator.Plain(DemoTable(report));
  }
  return Exit(verdict);
}

}  // namespace hale::app
