#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/net/http1_chunked.h"
#include "hale/net/http_head.h"
#include "hale/net/http_limits.h"

namespace hale::net {

/// Where a body ends, for who reads it. Pure. Not thread-safe.
class BodyReader {
 public:
  struct Piece {
    std::string_view data;     ///< a view of what was given; empty when more is needed
    std::size_t consumed = 0;  ///< of what was given, framing included
  };
  void Begin(Framing framing);
  /// The next piece of what has arrived. A verdict is final.
  std::expected<Piece, Verdict> Take(std::string_view arrived);
  /// The stream has ended: whether the body has, too.
  bool OnStreamEnd();
  bool complete() const { return complete_; }

 private:
  Framing framing_;
  std::uint64_t left_ = 0;
  ChunkedDecoder decoder_;
  bool complete_ = true;
};

/// How a body is framed, for who writes it. Pure. Not thread-safe.
class BodyWriter {
 public:
  enum class Last : bool { kNo, kYes };
  /// `sent` is false for a body that is declared but must not follow (HEAD, 304).
  void Begin(Framing framing, bool sent);
  /// What goes around `data`: appended to `before`, and the result after it. kInternal when more is
  /// written than declared, or less by the last.
  Result<std::string_view> Add(std::string& before, std::span<const char> data, Last last);
  bool sent() const { return sent_; }

 private:
  Framing framing_;
  std::uint64_t left_ = 0;
  bool sent_ = false;
};

}  // namespace hale::net
