#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "hale/net/http_limits.h"

namespace hale::net {

/// Finds where a head ends, line by line as it arrives, and judges its raw bytes before a parser
/// sees them (RFC 9112 §2.2, §3, §5): lines end with CRLF, no bare CR or LF, no control character,
/// no folded line, no space around a field's name, bounds. One pass over each byte.
/// Pure. Not thread-safe.
class HeadScanner {
 public:
  enum class Of : bool { kRequest, kResponse };
  HeadScanner(Of of, const HeadLimits& limits) : of_(of), limits_(limits) {}

  /// `bytes` is all there is of the message, the same as before and more. The size of the head with
  /// its empty line, or 0 while that has not come.
  std::expected<std::size_t, Verdict> Scan(std::string_view bytes);
  /// Where the start line begins: after at most 4 empty lines that preceded it.
  std::size_t start() const { return start_; }
  /// Ready for the next message.
  void Reset();

 private:
  std::expected<void, Verdict> Line(std::string_view line);
  bool LineFits(std::size_t size) const;
  Verdict TooLarge(std::size_t size) const;

  Of of_;
  HeadLimits limits_;
  std::size_t start_ = 0;
  std::size_t line_ = 0;    // where the line under way begins
  std::size_t looked_ = 0;  // no LF before this
  std::size_t fields_ = 0;
  bool started_ = false;  // the start line has ended
};

}  // namespace hale::net
