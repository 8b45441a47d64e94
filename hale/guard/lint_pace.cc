#include <algorithm>

#include "hale/base/quantity.h"
#include "hale/guard/lint.h"

namespace hale::guard {
namespace {

using policy::Mode;
using Remarks = std::vector<Remark>;

/// Turns from now on until the wait for one is too long.
double Patience(const policy::PacerOptions& pace, Duration deadline) {
  return pace.rate.PerSecond() * Seconds(std::min(pace.max_wait, deadline / 2));
}

}  // namespace

void LintPace(const policy::PacerOptions& pace, Duration deadline, Remarks& remarks) {
  if (pace.mode == Mode::kOff) return;
  const Duration half = deadline / 2;
  // A default is no mistake of the author's: it gives way where it does not fit.
  if (pace.max_wait > half && pace.max_wait != policy::PacerOptions{}.max_wait) {
    remarks.push_back({"max_wait", Print(pace.max_wait) + " is above half of the deadline " +
                                       Print(deadline) + "; it never waits longer than " +
                                       Print(half)});
  }
  if (pace.max_wait <= Duration::zero() || Patience(pace, deadline) >= 1) return;
  remarks.push_back({"rate", Print(pace.rate) + " is less than one turn in " +
                                 Print(std::min(pace.max_wait, half)) +
                                 ", and nobody waits longer: of calls that come together at most "
                                 "one waits, those after it are refused"});
}

void LintPacedLimit(const policy::PacerOptions& pace, const policy::RateLimiterOptions& limit,
                    Duration deadline, Remarks& remarks) {
  if (pace.mode != Mode::kEnforce || limit.mode != Mode::kEnforce) return;
  if (limit.warm_up > Duration::zero()) return;  // a cold one may be the slower one
  const double at_once = MostCalls(pace, Duration::zero()) + Patience(pace, deadline);
  const double burst = MostCalls(limit, Duration::zero());
  if (limit.rate.PerSecond() < pace.rate.PerSecond() || burst < at_once) return;
  remarks.push_back({"limit.rate", Print(limit.rate) + " and " + PrintFigure(burst) +
                                       " at once refuse nobody: the pace lets " + Print(pace.rate) +
                                       " and at most " + PrintFigure(at_once) +
                                       " at once through"});
}

double MostCalls(const policy::PacerOptions& pace, Duration window) {
  return pace.rate.PerSecond() * Seconds(window) + static_cast<double>(pace.slack) + 1;
}

}  // namespace hale::guard
