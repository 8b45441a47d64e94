#include "hale/base/frame_pool.h"

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

constexpr std::uint32_t kLongest = HALE_KEEP_FRAMES ? 256 : 0;

}  // namespace

thread_local constinit FramePool::Lists FramePool::lists;

/// Frees what is kept when its thread ends; what is freed after that goes to the heap.
class FramePool::Owner {
 public:
  Owner() { lists.longest = kLongest; }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    lists.longest = 0;
    for (Node*& head : lists.heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};

void* FramePool::AllocateSlowly(std::size_t size) {
  thread_local const Owner owner;
  ++lists.live;
  const std::size_t index = ClassOf(size);
  return ::operator new(index >= kClasses ? size : (index + 1) * kClassWidth);
}

}  // namespace hale::internal
