#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace hale::app {

/// The response header by which a backend of ours tells the checksum of its body.
inline constexpr const char* kChecksumHeader = "x-body-checksum";
/// The request header by which a load run names each of its requests; backends log it.
inline constexpr const char* kIdHeader = "x-load-id";

/// A 64-bit checksum of a stream, eight bytes a step so that checking costs less than receiving.
/// It notices lost, doubled, swapped and changed bytes; it is no defence against an attacker.
/// Not thread-safe.
class BodyChecksum final {
 public:
  void Add(std::span<const char> bytes);
  /// Of all bytes so far, however they were cut: 16 hexadecimal digits.
  std::string Hex() const;
  std::uint64_t size() const { return size_; }

 private:
  void Mix(std::uint64_t word);

  std::uint64_t state_ = 0x9e3779b97f4a7c15;
  std::uint64_t partial_ = 0;  ///< the last size_ % 8 bytes
  std::uint64_t size_ = 0;
};

}  // namespace hale::app
