#include "app/body_checksum.h"

#include <gtest/gtest.h>

#include <set>

namespace hale::app {
namespace {

std::string Sum(std::string_view text) {
  BodyChecksum sum;
  sum.Add(text);
  return sum.Hex();
}

TEST(BodyChecksumTest, DoesNotDependOnHowTheStreamIsCut) {
  const std::string text = "The quick brown fox jumps over the lazy dog, twice.";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 5) {
      BodyChecksum sum;
      sum.Add(std::string_view(text).substr(0, first));
      sum.Add(std::string_view(text).substr(first, second - first));
      sum.Add(std::string_view(text).substr(second));
      ASSERT_EQ(sum.Hex(), Sum(text)) << first << " " << second;
    }
  }
}

TEST(BodyChecksumTest, NoticesAChangedALostAndADoubledByte) {
  const std::string text(1000, 'x');
  std::set<std::string> seen{Sum(text)};
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = 'y';
    EXPECT_TRUE(seen.insert(Sum(changed)).second) << i;
  }
  EXPECT_TRUE(seen.insert(Sum(text + "x")).second);
  EXPECT_TRUE(seen.insert(Sum(std::string(999, 'x'))).second);
}

TEST(BodyChecksumTest, NoticesSwappedBlocks) {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  EXPECT_NE(Sum(a + b), Sum(b + a));
}

TEST(BodyChecksumTest, TellsTrailingZerosApart) {
  EXPECT_NE(Sum(std::string(1, '\0')), Sum(std::string(2, '\0')));
  EXPECT_NE(Sum(""), Sum(std::string(1, '\0')));
}

TEST(BodyChecksumTest, CountsTheBytes) {
  BodyChecksum sum;
  sum.Add(std::string_view("12345"));
  sum.Add(std::string_view("678901234567"));
  EXPECT_EQ(sum.size(), 17U);
}

}  // namespace
}  // namespace hale::app
