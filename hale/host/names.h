#pragma once

#include <string>
#include <string_view>

#include "hale/host/document.h"

namespace hale::host {

/// What a route is called in metrics, events and shares: its name, or its path without one. Pure.
std::string NameOf(const mesh::RouteOptions& route);

/// What is said of a service that the document does not have, and which one may be meant; never
/// `besides`. Pure.
std::string UnknownService(const Document& document, std::string_view name,
                           std::string_view besides = {});

}  // namespace hale::host
