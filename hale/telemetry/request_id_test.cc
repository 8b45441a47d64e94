#include "hale/telemetry/request_id.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::telemetry {
namespace {

TEST(RequestIdTest, TakesOverWhatOthersUse) {
  EXPECT_TRUE(ValidRequestId("7f3c2a10-3b1e-4f0a-9f9d-0f6a2f1f3c11"));
  EXPECT_TRUE(ValidRequestId("01HV9Z:req_1/a.b+c=@"));
}

TEST(RequestIdTest, RefusesWhatCouldBreakALineOrAPage) {
  for (const char* id : {"", "a b", "a\nb", "a\"b", "a,b", "a;b", "<a>", "a%0A", "\x80", "a'b"}) {
    EXPECT_FALSE(ValidRequestId(id)) << id;
  }
}

TEST(RequestIdTest, Holds128Characters) {
  EXPECT_TRUE(ValidRequestId(std::string(128, 'a')));
  EXPECT_FALSE(ValidRequestId(std::string(129, 'a')));
}

TEST(RequestIdTest, ANewOneIsValidAndUnlikeTheLast) {
  SeededRandom random(1);
  const auto first = NewRequestId(random);
  EXPECT_TRUE(ValidRequestId({first.data(), first.size()}));
  EXPECT_NE(NewRequestId(random), first);
}

}  // namespace
}  // namespace hale::telemetry
