#pragma once

#include <string>
#include <string_view>

namespace hale::mesh {

/// The path that is matched and sent on: percent-encoded unreserved characters are decoded, the
/// case of other escapes is upper, and dot segments are resolved (RFC 3986 §6.2.2), so that
/// `/a/%2e%2e/admin` is matched as what the upstream will take it for. Slashes are neither merged
/// nor decoded. Returns `path` itself when there is nothing to do; otherwise a view of `buffer`.
/// Pure.
std::string_view NormalizePath(std::string_view path, std::string& buffer);

}  // namespace hale::mesh
