#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hale/net/fields.h"

namespace hale::net {

enum class Version : std::uint8_t { kHttp10, kHttp11 };

/// How the end of a body is found (RFC 9112 §6). Of a response to HEAD, and of a 304, it is what
/// the head declares; no body follows.
struct Framing {
  enum class Kind : std::uint8_t {
    kNone,        ///< no body and nothing declared
    kLength,      ///< Content-Length: `length` bytes
    kChunked,     ///< Transfer-Encoding: chunked
    kUntilClose,  ///< a response that ends with its connection
  };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;

  static constexpr Framing Length(std::uint64_t n) { return {Kind::kLength, n}; }
  static constexpr Framing Chunked() { return {Kind::kChunked, 0}; }
  static constexpr Framing UntilClose() { return {Kind::kUntilClose, 0}; }
  friend bool operator==(const Framing&, const Framing&) = default;
};

/// The head of a request. `fields` holds neither Content-Length, Transfer-Encoding (see `framing`)
/// nor `Expect: 100-continue` (see `expects_continue`). Reused, it does not allocate. A value.
struct RequestHead {
  std::string method = "GET";
  std::string target = "/";  ///< origin-form, or `*` for OPTIONS; 0x21 to 0x7e, no `#`
  Version version = Version::kHttp11;
  Framing framing;
  bool expects_continue = false;
  bool keep_alive = true;  ///< what it says of its connection; not written
  Fields fields;

  /// The target up to `?`, as it came: neither decoded nor normalised.
  std::string_view path() const;
  /// What follows `?`; empty when there is none.
  std::string_view query() const;
  std::string_view host() const { return fields.Find("host").value_or(""); }
  void Clear();
};

/// The head of a response. `fields` holds neither Content-Length nor Transfer-Encoding. A value.
struct ResponseHead {
  int status = 200;
  std::string phrase;  ///< empty: the standard one is written
  Version version = Version::kHttp11;
  Framing framing;
  bool keep_alive = true;  ///< what it says of its connection; not written
  Fields fields;

  void Clear();
};

/// Safe to do twice (RFC 9110 §9.2.2): GET HEAD OPTIONS TRACE PUT DELETE. Pure.
bool IsIdempotent(std::string_view method);
/// Asks to change nothing (RFC 9110 §9.2.1): GET HEAD OPTIONS TRACE. Pure.
bool IsSafe(std::string_view method);
/// Whether a body follows the head of such a response (RFC 9112 §6.3). Pure.
bool HasBody(std::string_view method, int status);
/// `OK` for 200; empty for a status that has none. Pure.
std::string_view StandardPhrase(int status);

/// Whether `token` is in the comma-separated lists of all fields of that name. Pure.
bool HasToken(const Fields& fields, std::string_view name, std::string_view token);

/// Removes what is for this hop only (RFC 9110 §7.6.1): Connection and what it nominates, except
/// fields that no connection may own (Host, Authorization, Cookie, X-Forwarded-*, ...); Keep-Alive,
/// Proxy-Connection, TE but `trailers`, Transfer-Encoding, Trailer, Upgrade. Pure.
void RemoveHopByHop(Fields& fields);

}  // namespace hale::net
