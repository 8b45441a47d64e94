#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "hale/config/problem.h"

namespace hale::config {

/// `'text'` for a message: escaped, cut after 40 bytes. Pure.
std::string Quote(std::string_view text);

/// `"text"` as JSON writes it. `text` is UTF-8. Pure.
std::string JsonQuote(std::string_view text);

/// `parent.key`; a key with other characters than letters, digits, '_' and '-' becomes
/// `parent["key"]`, so that a path names one place. Pure.
std::string JoinKey(std::string_view parent, std::string_view key);
/// `parent[index]`. Pure.
std::string JoinIndex(std::string_view parent, std::size_t index);

/// Where the first byte is that is not part of UTF-8 text (RFC 3629; control characters other than
/// tab, line feed and carriage return are not text), if there is one. Pure.
std::optional<std::size_t> FirstNotText(std::string_view text);

/// Line and column of a byte. Pure.
Position PositionOf(std::string_view text, std::size_t offset);

}  // namespace hale::config
