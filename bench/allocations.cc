#include "bench/allocations.h"

#include <cstdlib>
#include <new>

// The program's `operator new` and `delete`, replaced by ones that count: arrays and those that do
// not throw are made of these by the standard library.

namespace {

thread_local constinit std::uint64_t count = 0;

void* Checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  ++count;
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return Checked(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return Checked(std::aligned_alloc(align, (size + align - 1) / align * align));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace hale::bench {

std::uint64_t AllocationsOfThisThread() { return count; }

}  // namespace hale::bench
