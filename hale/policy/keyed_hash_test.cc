#include "hale/policy/keyed_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace hale::policy {
namespace {

constexpr HashSecret kSecret{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(KeyedHashTest, IsSipHash13) {
  // What CPython 3.11 gives for hash(b"...") with PYTHONHASHSEED=0: SipHash-1-3 with a key of
  // zeros.
  EXPECT_EQ(KeyedHash("192.0.2.1", {}), 0x07cfadfb3f455fdeU);
  EXPECT_EQ(KeyedHash("abcdefgh", {}), 0x3f7b849c0b8e35eaU);
  EXPECT_EQ(KeyedHash("x", {}), 0xd141bba7fdc215a3U);
}

TEST(KeyedHashTest, DependsOnEveryByteAndOnTheLength) {
  std::set<std::uint64_t> seen;
  std::string text;
  for (int i = 0; i < 64; ++i, text.push_back('\0')) seen.insert(KeyedHash(text, kSecret));
  EXPECT_EQ(seen.size(), 64U);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = '\x80';
    EXPECT_TRUE(seen.insert(KeyedHash(other, kSecret)).second);
  }
}

TEST(KeyedHashTest, DependsOnBothHalvesOfTheSecret) {
  EXPECT_NE(KeyedHash("192.0.2.1", kSecret), KeyedHash("192.0.2.1", {kSecret.a, 1}));
  EXPECT_NE(KeyedHash("192.0.2.1", kSecret), KeyedHash("192.0.2.1", {1, kSecret.b}));
}

TEST(KeyedHashTest, OneBitOfTheTextTurnsHalfOfTheHash) {
  int turned = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string text = std::to_string(i * 7919);
    const std::uint64_t before = KeyedHash(text, kSecret);
    text[0] = static_cast<char>(text[0] ^ 1);
    turned += std::popcount(before ^ KeyedHash(text, kSecret));
  }
  EXPECT_NEAR(turned / 1000.0, 32, 0.6);  // the mean of 1000 draws of 64 coins: 5 deviations
}

}  // namespace
}  // namespace hale::policy
