#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hale/base/random.h"

namespace hale::policy {

/// Drawn once, so that nobody outside can foresee which keys meet in a table.
struct HashSecret {
  std::uint64_t a = 0;
  std::uint64_t b = 0;

  static HashSecret Draw(Random& random) { return {random.Next(), random.Next()}; }
};

/// SipHash-1-3 of `text` (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF",
/// 2012). Pure.
std::uint64_t KeyedHash(std::string_view text, const HashSecret& secret);

/// The same as the hash of a standard container whose keys strangers choose. Pure.
struct KeyedHasher {
  using is_transparent = void;
  HashSecret secret;
  std::size_t operator()(std::string_view text) const { return KeyedHash(text, secret); }
};

}  // namespace hale::policy
