#pragma once

#include <span>
#include <string_view>

namespace hale::telemetry {

/// What stands in place of a secret.
inline constexpr std::string_view kRedacted = "***";

/// Is the value under this name (of a header or a log field) not for other eyes? True for
/// authorization and cookies and for whatever contains password, passwd, secret, token, api-key,
/// apikey, credential or signature, in any case, `-` and `_` alike. Pure.
bool IsSecretName(std::string_view name);

/// A request target without what a query may hold: `/a?b=1&c` becomes `/a?b=***&***`; a fragment
/// and the user part of an absolute URL are dropped. The result is the target itself when there is
/// nothing to hide, else it is written to `out` and cut to fit. Pure.
std::string_view RedactTarget(std::string_view target, std::span<char> out);

}  // namespace hale::telemetry
