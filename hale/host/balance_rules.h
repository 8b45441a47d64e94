#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds an error for a key that cannot be read and a place in a fleet that does not exist. Pure.
void ValidateBalance(const Document& document, config::Findings& findings);

/// Adds a warning for what has no effect, or another one than it seems: keys that no kind uses, a
/// zone that nobody is in, a subset that is the whole set. Pure.
void LintBalance(const Document& document, config::Findings& findings);

}  // namespace hale::host
