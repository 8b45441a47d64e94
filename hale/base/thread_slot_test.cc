#include "hale/base/thread_slot.h"

#include <gtest/gtest.h>

#include <barrier>
#include <set>
#include <thread>
#include <vector>

namespace hale {
namespace {

std::vector<std::uint32_t> SlotsOf(std::size_t threads) {
  std::vector<std::uint32_t> slots(threads);
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::jthread> all;
  for (std::size_t i = 0; i < threads; ++i) {
    all.emplace_back([&, i] {
      slots[i] = ThreadSlot();
      together.arrive_and_wait();  // none ends before all have asked
    });
  }
  return all.clear(), slots;
}

TEST(ThreadSlotStressTest, IsAThreadsOwn) {
  EXPECT_EQ(ThreadSlot(), ThreadSlot());
  auto slots = SlotsOf(20);
  slots.push_back(ThreadSlot());
  EXPECT_EQ(std::set(slots.begin(), slots.end()).size(), 21U);
}

TEST(ThreadSlotStressTest, IsGivenBackWhenItsThreadEnds) {
  for (int round = 0; round < 10; ++round) {
    for (const std::uint32_t slot : SlotsOf(20)) EXPECT_LE(slot, 20U);
  }
}

TEST(ThreadSlotStressTest, IsSharedWhenThereAreTooManyThreads) {
  ThreadSlot();
  const auto slots = SlotsOf(kThreadSlots + 5);
  EXPECT_EQ(std::ranges::count(slots, kThreadSlots), 6);
}

}  // namespace
}  // namespace hale
