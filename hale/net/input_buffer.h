#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace hale::net {

/// What a connection has received and not yet used: 16 KiB from a free list of the thread (at most
/// 256 are kept there), more only for a head that is larger. Bytes stay where they are until
/// MakeRoom. Not thread-safe.
class InputBuffer {
 public:
  static constexpr std::size_t kSize = 16 * 1024;

  InputBuffer() = default;
  ~InputBuffer();
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  std::string_view unread() const { return {memory_.get() + begin_, end_ - begin_}; }
  /// Where the next bytes may be read to; empty before MakeRoom and when full.
  std::span<char> free() const { return {memory_.get() + end_, capacity_ - end_}; }
  void Commit(std::size_t read) { end_ += read; }
  void Consume(std::size_t used) { begin_ += used; }
  /// Moves what is unread to the front and grows when that does not leave room, up to `most`. Ends
  /// the life of all views. False when it is full.
  bool MakeRoom(std::size_t most);

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hale::net
