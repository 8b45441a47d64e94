#pragma once

#include "hale/config/origins.h"
#include "hale/host/document.h"

namespace hale::host {

/// Adds an error for each value that is well-formed by itself but cannot be run: an address that is
/// none, a service that does not exist, a path that can never match. Pure.
void Validate(const Document& document, config::Findings& findings);

}  // namespace hale::host
