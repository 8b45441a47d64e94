#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hale/net/http_head.h"

namespace hale::net {

/// What a message says of its connection.
enum class ConnectionField : std::uint8_t { kNone, kClose, kKeepAlive };

/// Appends a head as HTTP/1.1 (RFC 9112 §2): framing comes from `framing` and connection alone,
/// never from fields of those names, so that a message has one length. Pure.
void AppendRequestHead(std::string& out, const RequestHead& head, Framing framing);
void AppendResponseHead(std::string& out, const ResponseHead& head, Framing framing,
                        ConnectionField connection);

/// `1a\r\n`: what precedes a chunk of `size` bytes, which is not 0. Pure.
void AppendChunkSize(std::string& out, std::size_t size);
/// Appends what follows a head if it is small: to copy up to 1 KiB costs less than to hand the
/// kernel a list. False when it is not, and nothing was appended. Pure.
bool GatherSmall(std::string& out, std::span<const char> data, std::string_view after);

inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kChunkEndAndLast = "\r\n0\r\n\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace hale::net
