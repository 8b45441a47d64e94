#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds an error for each bulkhead whose partitions, and each route whose turns cannot be what is
/// written. Pure.
void ValidateAdmission(const Document& document, config::Findings& findings);

/// Adds a warning for what of them can be run and has not the effect that is meant. Pure.
void LintAdmission(const Document& document, config::Findings& findings);

}  // namespace hale::host
