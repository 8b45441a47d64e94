#pragma once

#include <cstddef>

namespace hale::internal {

/// Memory for coroutine frames: a free list a size class (64 bytes wide, up to 4 KiB) and thread,
/// at most 256 frames long each; larger frames come from the heap. Under AddressSanitizer it keeps
/// nothing, so that a use after the end is seen. Thread-safe: each thread has its own.
class FramePool {
 public:
  static void* Allocate(std::size_t size);
  static void Free(void* frame, std::size_t size) noexcept;
  /// Frames this thread has allocated less those it has freed; for tests.
  static std::ptrdiff_t live();
};

}  // namespace hale::internal
