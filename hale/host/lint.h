#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds a warning for each setting that can be run but is unlikely to be meant, with the numbers
/// that show it: retries that cannot run, limits that a client can evade, leaving out more
/// instances than the rest can replace. The defaults have none. Pure.
void Lint(const Document& document, config::Findings& findings);

/// The same for second attempts and for deadlines that cannot be met. Pure.
void LintHedge(const Document& document, config::Findings& findings);

/// The same for the routes alone: what an earlier one takes away from a later one. Pure.
void LintShadowed(const Document& document, config::Findings& findings);

}  // namespace hale::host
