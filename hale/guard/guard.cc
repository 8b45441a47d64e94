#include "hale/guard/guard.h"

#include <optional>
#include <stdexcept>
#include <string>

#include "hale/guard/pipeline.h"

namespace hale::guard {
namespace {

/// Options that can be.
GuardOptions Checked(const GuardOptions& options, Calls calls) {
  if (const auto problems = Check(options, calls); !problems.empty()) {
    throw std::invalid_argument("guard " + options.name + ":\n" + Print(problems));
  }
  return options;
}

}  // namespace

Guard::Guard(const GuardOptions& options, GuardContext context)
    : Guard(options, std::move(context), Calls::kAny) {}

Guard::Guard(const GuardOptions& options, GuardContext context, Calls calls)
    : calls_(calls), policies_(Checked(options, calls), std::move(context)), settings_(options) {}

std::expected<std::vector<Change>, std::vector<Remark>> Guard::Apply(const GuardOptions& options) {
  auto problems = Check(options, calls_);
  if (options.name != policies_.name) {
    problems.push_back({"name", "cannot change, it is " + policies_.name + ": make another guard"});
  }
  if (!problems.empty()) {
    Tell(EventKind::kConfigRejected, static_cast<double>(problems.size()), Print(problems));
    return std::unexpected(std::move(problems));
  }
  std::vector<Change> changes;
  bool mine = false;
  settings_.With([&](Settings& settings) {
    changes = Diff(settings.options, options);
    settings.options = options;
    ++settings.version;
    mine = !std::exchange(settings.applying, true);
    policies_.rules.Store(CallRules(options));
  });
  // The policies are changed with no lock held, since they tell their sinks. Who comes meanwhile
  // leaves the work to the thread that is at it, and does not wait.
  if (mine) ApplyToPolicies();
  Tell(EventKind::kConfigApplied, static_cast<double>(changes.size()), Print(changes));
  return changes;
}

void Guard::ApplyToPolicies() {
  // When a policy throws, the next change begins anew.
  struct Finally {
    Guarded<Settings>& settings;
    bool done = false;
    ~Finally() {
      if (!done) settings.With([](Settings& s) { s.applying = false; });
    }
  } finally{settings_};
  for (std::uint64_t done = 0;;) {
    const auto next = settings_.With([&](Settings& settings) -> std::optional<GuardOptions> {
      settings.applying = settings.version != done;
      done = settings.version;
      return settings.applying ? std::optional(settings.options) : std::nullopt;
    });
    if (!next) {
      finally.done = true;
      return;
    }
    policies_.Apply(*next, policies_.context.clock.Now());
  }
}

GuardOptions Guard::options() const {
  return settings_.With([](const Settings& settings) { return settings.options; });
}

std::string Guard::Describe() const { return guard::Describe(options()); }

void Guard::Tell(EventKind kind, double count, const std::string& detail) const {
  Event event;
  event.at = policies_.context.clock.Now();
  event.kind = kind;
  event.policy = "guard";
  event.service = policies_.name;
  event.observed = count;
  event.detail = detail;
  policies_.context.events.On(event);
}

}  // namespace hale::guard
