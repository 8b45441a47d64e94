#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hale::net {

/// The small rules of HTTP's grammar (RFC 9110 §5.6, RFC 9112). Pure.

constexpr char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// A character of a token: a method or a field name.
bool IsTokenCharacter(char c);
bool IsToken(std::string_view text);

/// Whether a field value or reason phrase holds a control character other than HTAB.
bool HasControl(std::string_view text);

/// Without spaces and tabs at both ends.
std::string_view TrimSpace(std::string_view text);

/// Digits only, at most 2^63 - 1; anything else, also a sign, is nothing.
std::optional<std::uint64_t> ParseLength(std::string_view text);

/// uri-host [ ":" port ] (RFC 9112 §3.2): a name, an IPv4 address or an IPv6 one in brackets, not
/// empty, without user information.
bool IsAuthority(std::string_view text);

/// Takes the first element off a comma-separated list (RFC 9110 §5.6.1); empty elements too.
std::string_view TakeElement(std::string_view& list);

}  // namespace hale::net
