#pragma once

/// The names that a program uses which guards its calls. They need the standard library only: link
/// `hale_guard`.

#include "hale/base/clock.h"
#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/base/outcome.h"
#include "hale/base/reason.h"
#include "hale/base/task.h"
#include "hale/base/time.h"
#include "hale/base/wait.h"
#include "hale/guard/async_guard.h"
#include "hale/guard/attempt.h"
#include "hale/guard/caller.h"
#include "hale/guard/fallback.h"
#include "hale/guard/guard.h"
#include "hale/guard/guard_options.h"
#include "hale/guard/lint.h"
#include "hale/guard/pipeline.h"
#include "hale/guard/senders.h"
#include "hale/guard/single_flight.h"

namespace hale {

using guard::AsyncGuard;
using guard::Attempt;
using guard::Caller;
using guard::Check;
using guard::Completion;
using guard::Describe;
using guard::Diff;
using guard::Fallback;
using guard::Guard;
using guard::GuardContext;
using guard::GuardOptions;
using guard::LastGood;
using guard::Lint;
using guard::LintNested;
using guard::SingleFlight;

}  // namespace hale
