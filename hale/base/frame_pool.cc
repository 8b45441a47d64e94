#include "hale/base/frame_pool.h"

#include <array>
#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define HALE_KEEP_FRAMES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HALE_KEEP_FRAMES 0
#endif
#endif
#ifndef HALE_KEEP_FRAMES
#define HALE_KEEP_FRAMES 1
#endif

namespace hale::internal {
namespace {

constexpr std::size_t kClassWidth = 64;
constexpr std::size_t kClasses = 64;
constexpr std::uint32_t kLongest = HALE_KEEP_FRAMES ? 256 : 0;

struct Node {
  Node* next;
};

struct Lists {
  std::array<Node*, kClasses> heads{};
  std::array<std::uint32_t, kClasses> lengths{};
  std::ptrdiff_t live = 0;

  ~Lists() {
    for (Node* node : heads) {
      while (node != nullptr) ::operator delete(std::exchange(node, node->next));
    }
    heads = {};
    // What is freed after this thread's lists are gone goes to the heap.
    lengths.fill(kLongest);
  }
};

thread_local Lists lists;

constexpr std::size_t ClassOf(std::size_t size) { return (size - 1) / kClassWidth; }

}  // namespace

void* FramePool::Allocate(std::size_t size) {
  ++lists.live;
  const std::size_t index = ClassOf(size);
  if (index >= kClasses) return ::operator new(size);
  if (Node* node = lists.heads[index]; node != nullptr) {
    lists.heads[index] = node->next;
    --lists.lengths[index];
    return node;
  }
  return ::operator new((index + 1) * kClassWidth);
}

void FramePool::Free(void* frame, std::size_t size) noexcept {
  --lists.live;
  const std::size_t index = ClassOf(size);
  if (index >= kClasses || lists.lengths[index] >= kLongest) {
    ::operator delete(frame);
    return;
  }
  lists.heads[index] = new (frame) Node{lists.heads[index]};
  ++lists.lengths[index];
}

std::ptrdiff_t FramePool::live() { return lists.live; }

}  // namespace hale::internal
