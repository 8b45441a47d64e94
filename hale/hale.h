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
#include "hale/guard/attempt.h"
#include "hale/guard/guard.h"
#include "hale/guard/guard_options.h"

namespace hale {

using guard::Attempt;
using guard::Guard;
using guard::GuardContext;
using guard::GuardOptions;

}  // namespace hale
