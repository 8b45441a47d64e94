#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds an error for each limit that cannot be run: an unknown key, a kind that does not go with
/// what it counts. Pure.
void ValidateLimits(const Document& document, config::Findings& findings);

/// Adds a warning for each limit that can be evaded, whose waits never fit, or that says what is
/// not used. Pure.
void LintLimits(const Document& document, config::Findings& findings);

}  // namespace hale::host
