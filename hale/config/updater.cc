#include "hale/config/updater.h"

namespace hale::config {

std::string ContentHash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // Fowler, Noll, Vo: the 64-bit offset basis and prime
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) {
    out += kHex[(hash >> static_cast<unsigned>(shift)) & 15U];
  }
  return out;
}

}  // namespace hale::config
