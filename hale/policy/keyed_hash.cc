#include "hale/policy/keyed_hash.h"

#include <bit>
#include <cstring>

namespace hale::policy {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void Take(std::uint64_t word) {
    v3 ^= word;
    Round();
    v0 ^= word;
  }
};

std::uint64_t LoadLittleEndian(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes, size);
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
  }
  return word;
}

}  // namespace

std::uint64_t KeyedHash(std::string_view text, const HashSecret& secret) {
  // "somepseudorandomlygeneratedbytes", as the paper has it.
  SipState state{secret.a ^ 0x736f6d6570736575, secret.b ^ 0x646f72616e646f6d,
                 secret.a ^ 0x6c7967656e657261, secret.b ^ 0x7465646279746573};
  std::size_t done = 0;
  for (; text.size() - done >= 8; done += 8) state.Take(LoadLittleEndian(text.data() + done, 8));
  const std::uint64_t rest = LoadLittleEndian(text.data() + done, text.size() - done);
  state.Take(rest | std::uint64_t{text.size()} << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace hale::policy
