#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace hale::net::internal {

/// Where the reactor keeps the handler of one operation, so that waiting allocates nothing. It
/// outlives the operation. Not thread-safe.
struct HandlerMemory {
  alignas(std::max_align_t) std::array<std::byte, 256> bytes;
  bool used = false;
};

/// The standard allocator over a HandlerMemory; what does not fit comes from the heap.
template <class T>
struct HandlerAllocator {
  using value_type = T;
  explicit HandlerAllocator(HandlerMemory& m) : memory(&m) {}
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): allocators convert into each other
  HandlerAllocator(const HandlerAllocator<U>& other) : memory(other.memory) {}
  T* allocate(std::size_t count) {
    if (!memory->used && count * sizeof(T) <= sizeof(memory->bytes)) {
      memory->used = true;
      return reinterpret_cast<T*>(memory->bytes.data());
    }
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* at, std::size_t) {
    if (static_cast<void*>(at) == memory->bytes.data()) {
      memory->used = false;
    } else {
      ::operator delete(at);
    }
  }
  bool operator==(const HandlerAllocator&) const = default;
  HandlerMemory* memory;
};

}  // namespace hale::net::internal
