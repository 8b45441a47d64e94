#include "hale/net/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace hale::net {
namespace {

constexpr std::size_t kKept = 256;  // 4 MiB a thread

thread_local std::vector<std::unique_ptr<char[]>> kept;

std::unique_ptr<char[]> Take(std::size_t size) {
  if (size == InputBuffer::kSize && !kept.empty()) {
    auto memory = std::move(kept.back());
    kept.pop_back();
    return memory;
  }
  return std::make_unique_for_overwrite<char[]>(size);
}

void Give(std::unique_ptr<char[]> memory, std::size_t size) {
  if (size == InputBuffer::kSize && kept.size() < kKept) kept.push_back(std::move(memory));
}

}  // namespace

InputBuffer::~InputBuffer() { Give(std::move(memory_), capacity_); }

bool InputBuffer::MakeRoom(std::size_t most) {
  const std::size_t size = end_ - begin_;
  if (capacity_ == 0) {
    memory_ = Take(kSize);
    capacity_ = kSize;
  } else if (begin_ > 0) {
    if (size > 0) std::memmove(memory_.get(), memory_.get() + begin_, size);
  } else if (end_ == capacity_ && capacity_ < most) {
    const std::size_t larger = std::min(2 * capacity_, most);
    auto memory = Take(larger);
    if (size > 0) std::memcpy(memory.get(), memory_.get(), size);
    Give(std::exchange(memory_, std::move(memory)), capacity_);
    capacity_ = larger;
  }
  begin_ = 0;
  end_ = size;
  return end_ < capacity_;
}

}  // namespace hale::net
