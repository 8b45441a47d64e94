#include "hale/base/seq_cell.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace hale {
namespace {

struct Numbers {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  bool odd = false;
};

Numbers Of(std::uint64_t n) { return {n, n * 3, ~n, n % 2 != 0}; }

TEST(SeqCellTest, GivesWhatWasStoredLast) {
  SeqCell<Numbers> cell(Of(1));
  EXPECT_EQ(cell.Load().b, 3U);
  cell.Store(Of(2));
  EXPECT_EQ(cell.Load().b, 6U);
  EXPECT_FALSE(cell.Load().odd);
}

TEST(SeqCellTest, HoldsWhatFillsNoWholeWord) {
  SeqCell<char> cell('a');
  cell.Store('b');
  EXPECT_EQ(cell.Load(), 'b');
}

using Wide = std::array<std::uint64_t, 64>;

Wide Filled(std::uint64_t n) {
  Wide wide;
  wide.fill(n);
  return wide;
}

TEST(SeqCellStressTest, NeverShowsHalfOfAChange) {
  SeqCell<Wide> cell(Filled(0));
  std::jthread writer([&](const std::stop_token& stop) {
    for (std::uint64_t n = 1; !stop.stop_requested(); ++n) {
      cell.Store(Filled(n));
      if (n % 16 == 0) std::this_thread::yield();
    }
  });
  int changes = 0;
  for (std::uint64_t last = 0; changes < 200;) {
    const Wide seen = cell.Load();
    ASSERT_EQ(seen, Filled(seen[0]));
    ASSERT_GE(seen[0], last);
    if (seen[0] != last) ++changes;
    last = seen[0];
  }
}

}  // namespace
}  // namespace hale
