#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace hale {

/// A small value that is read whole, without a lock and without writing anything, while another
/// thread replaces it: a sequence lock whose words are atomics (H. Boehm, "Can seqlocks get along
/// with programming language memory models?", 2012). A reader that meets the writer reads again.
/// One writer at a time; Thread-safe for any number of readers.
template <class T>
class SeqCell {
  static_assert(std::is_trivially_copyable_v<T>, "it is copied word by word");

 public:
  explicit SeqCell(const T& value) { Store(value); }
  SeqCell(const SeqCell&) = delete;
  SeqCell& operator=(const SeqCell&) = delete;

  T Load() const {
    Words words;
    std::uint32_t before = 0;
    do {
      // Acquire: what was stored before the sequence became even is seen.
      before = sequence_.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < kWords; ++i) {
        // Acquire: who sees a word of the next value sees its odd sequence too.
        words[i] = words_[i].load(std::memory_order_acquire);
      }
    } while (before % 2 != 0 || sequence_.load(std::memory_order_relaxed) != before);
    T value;
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
    return value;
  }

  void Store(const T& value) {
    Words words{};
    std::memcpy(words.data(), &value, sizeof(T));
    const std::uint32_t before = sequence_.load(std::memory_order_relaxed);
    sequence_.store(before + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < kWords; ++i) {
      words_[i].store(words[i], std::memory_order_release);  // publishes the odd sequence
    }
    sequence_.store(before + 2, std::memory_order_release);  // publishes the value
  }

 private:
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;
  using Words = std::array<std::uint64_t, kWords>;

  std::atomic<std::uint32_t> sequence_{0};  // odd while being replaced
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace hale
