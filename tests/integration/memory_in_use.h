#pragma once

#include <malloc.h>

#include <cstddef>

namespace hale::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HALE_TEST_COUNTS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HALE_TEST_COUNTS_MEMORY 0
#endif
#endif
#ifndef HALE_TEST_COUNTS_MEMORY
#define HALE_TEST_COUNTS_MEMORY 1
#endif

/// Whether the heap is the C library's, which can be asked; a sanitizer's cannot.
inline constexpr bool kMemoryIsCounted = HALE_TEST_COUNTS_MEMORY != 0;

/// Bytes of the heap that are in use by the process; 0 when it cannot be asked. Thread-safe.
inline std::size_t MemoryInUse() {
  if (!kMemoryIsCounted) return 0;
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace hale::test
