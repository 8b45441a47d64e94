#include "app/body_checksum.h"

#include <bit>
#include <cstring>

namespace hale::app {
namespace {

// An odd multiplier whose bits are spread: G. Steele and S. Vigna, "Computationally Easy,
// Spectrally Good Multipliers for Congruential Pseudorandom Number Generators", 2021, table 7.
constexpr std::uint64_t kMultiplier = 0xd1342543de82ef95;

std::uint64_t Step(std::uint64_t state, std::uint64_t word) {
  return std::rotl((state ^ word) * kMultiplier, 29);
}

}  // namespace

void BodyChecksum::Mix(std::uint64_t word) { state_ = Step(state_, word); }

void BodyChecksum::Add(std::span<const char> bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  const auto push = [&] {
    partial_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at)) << (8 * (size_ % 8));
    ++at;
    --left;
    if (++size_ % 8 == 0) {
      Mix(partial_);
      partial_ = 0;
    }
  };
  while (left > 0 && size_ % 8 != 0) push();
  for (; left >= 8; left -= 8, at += 8, size_ += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    Mix(word);
  }
  while (left > 0) push();
}

std::string BodyChecksum::Hex() const {
  std::uint64_t sum = Step(Step(state_, partial_), size_);
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, sum >>= 4) {
    *digit = "0123456789abcdef"[sum & 15];
  }
  return text;
}

}  // namespace hale::app
