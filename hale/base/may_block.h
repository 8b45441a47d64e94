#pragma once

namespace hale {

/// Whether the calling thread may wait for something slow: false on the thread of an event loop.
/// Thread-safe.
bool MayBlock();

/// While it lives, its thread may not block. Scopes nest. Not thread-safe.
class MustNotBlock {
 public:
  MustNotBlock();
  ~MustNotBlock();
  MustNotBlock(const MustNotBlock&) = delete;
  MustNotBlock& operator=(const MustNotBlock&) = delete;
};

}  // namespace hale
