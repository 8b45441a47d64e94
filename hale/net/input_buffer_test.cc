#include "hale/net/input_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace hale::net {
namespace {

void Fill(InputBuffer& buffer, std::string_view text) {
  ASSERT_GE(buffer.free().size(), text.size());
  std::memcpy(buffer.free().data(), text.data(), text.size());
  buffer.Commit(text.size());
}

TEST(InputBufferTest, HoldsNoMemoryBeforeItIsAskedTo) {
  const InputBuffer buffer;
  EXPECT_TRUE(buffer.free().empty());
  EXPECT_TRUE(buffer.unread().empty());
}

TEST(InputBufferTest, MovesWhatIsUnreadToTheFront) {
  InputBuffer buffer;
  ASSERT_TRUE(buffer.MakeRoom(InputBuffer::kSize));
  Fill(buffer, "abcdef");
  buffer.Consume(4);
  EXPECT_EQ(buffer.free().size(), InputBuffer::kSize - 6);
  ASSERT_TRUE(buffer.MakeRoom(InputBuffer::kSize));
  EXPECT_EQ(buffer.unread(), "ef");
  EXPECT_EQ(buffer.free().size(), InputBuffer::kSize - 2);
}

TEST(InputBufferTest, GrowsOnlyAsFarAsAllowed) {
  InputBuffer buffer;
  ASSERT_TRUE(buffer.MakeRoom(InputBuffer::kSize));
  Fill(buffer, std::string(InputBuffer::kSize, 'x'));
  EXPECT_FALSE(buffer.MakeRoom(InputBuffer::kSize));
  EXPECT_TRUE(buffer.MakeRoom(InputBuffer::kSize + 10));
  EXPECT_EQ(buffer.free().size(), 10U);
  EXPECT_TRUE(std::ranges::all_of(buffer.unread(), [](char c) { return c == 'x'; }));
}

}  // namespace
}  // namespace hale::net
