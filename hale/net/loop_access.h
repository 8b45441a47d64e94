#pragma once

#include "hale/net/loop.h"

namespace hale::net::internal {

/// What this layer's sources may know about a loop beyond its interface. Loop-bound.
struct LoopAccess {
  /// The `boost::asio::io_context` beneath, which no header names.
  static void* Reactor(Loop& loop);
  /// A socket was opened (+1) or closed (-1).
  static void CountSocket(Loop& loop, int change);

  /// One piece of work that the reactor handed to the loop: takes its time stamp, and measures how
  /// long it held the loop.
  class Piece {
   public:
    explicit Piece(Loop& loop);
    ~Piece();
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

   private:
    Loop& loop_;
  };
};

}  // namespace hale::net::internal
