#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds an error for each fallback and single flight of a route that cannot be run: another service
/// that is unknown or its own, a status that is none, a name that is no field's or a field that is
/// Hale's to write, a reason that is decided before. Pure.
void ValidateFallbacks(const Document& document, config::Findings& findings);

/// Adds a warning for each that gives nothing, has a body where none can be, keeps what never fits,
/// or tells a client that was refused that its change was made. Pure.
void LintFallbacks(const Document& document, config::Findings& findings);

}  // namespace hale::host
