#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace hale::internal {

/// Memory for coroutine frames: a free list a size class (64 bytes wide, up to 4 KiB) and thread,
/// at most 256 frames long each; larger frames come from the heap. Under AddressSanitizer it keeps
/// nothing, so that a use after the end is seen. Thread-safe: each thread has its own.
class FramePool {
 public:
  static void* Allocate(std::size_t size) {
    const std::size_t index = ClassOf(size);
    if (index >= kClasses || lists.heads[index] == nullptr) return AllocateSlowly(size);
    ++lists.live;
    Node* const node = lists.heads[index];
    lists.heads[index] = node->next;
    --lists.lengths[index];
    return node;
  }
  static void Free(void* frame, std::size_t size) noexcept {
    --lists.live;
    const std::size_t index = ClassOf(size);
    if (index >= kClasses || lists.lengths[index] >= lists.longest) {
      ::operator delete(frame);
      return;
    }
    lists.heads[index] = new (frame) Node{lists.heads[index]};
    ++lists.lengths[index];
  }
  /// Frames this thread has allocated less those it has freed; for tests.
  static std::ptrdiff_t live() { return lists.live; }

 private:
  static constexpr std::size_t kClassWidth = 64;
  static constexpr std::size_t kClasses = 64;

  struct Node {
    Node* next;
  };
  /// Without a constructor or a destructor, so that it is reached without asking whether it is
  /// there; what it holds when its thread ends is freed by an owner beside it.
  struct Lists {
    std::array<Node*, kClasses> heads{};
    std::array<std::uint32_t, kClasses> lengths{};
    std::ptrdiff_t live = 0;
    std::uint32_t longest = 0;  // none is kept before there is an owner, and after
  };
  class Owner;

  static constexpr std::size_t ClassOf(std::size_t size) { return (size - 1) / kClassWidth; }
  static void* AllocateSlowly(std::size_t size);

  static thread_local constinit Lists lists;
};

}  // namespace hale::internal
