#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "hale/net/http_limits.h"

namespace hale::net {

/// Takes the chunked coding off a body (RFC 9112 §7.1), strictly: sizes are hexadecimal digits
/// only, at most 2^63 - 1, lines end with CRLF. Extensions (at most 16 KiB in all) and trailers (at
/// most 16 KiB) are read past and dropped. Any failure is final: where the message ends is unknown.
/// Pure. Not thread-safe.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< of the input, `data` included
    std::string_view data;     ///< a piece of the body, a view of the input; may be empty
  };
  /// Goes on up to the end of a piece of data, of the body or of the input.
  std::expected<Step, Verdict> Decode(std::string_view input);
  bool done() const { return state_ == State::kDone; }
  void Reset() { *this = ChunkedDecoder(); }

 private:
  enum class State : std::uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone,
  };
  /// One byte outside of data; the sentence of what is wrong with it, or nothing.
  std::string_view Take(char c);

  State state_ = State::kSizeStart;
  std::uint64_t left_ = 0;
  std::uint32_t extension_ = 0;
  std::uint32_t trailer_ = 0;
};

}  // namespace hale::net
