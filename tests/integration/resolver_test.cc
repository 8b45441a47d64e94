#include "hale/net/resolver.h"

#include <gtest/gtest.h>

#include <memory>
#include <stop_token>

#include "tests/conformance/real_time.h"

namespace hale::net {
namespace {

Task<void> Ask(Loop& loop, Resolver& resolver, int& ended) {
  const auto found = co_await resolver.Resolve(loop, "localhost:80", kNever);
  ++ended;
}

// For the address sanitizer: an answer that comes late must not reach a loop that is gone.
TEST(ResolverTest, AnswersNobodyWhoHasGone) {
  constexpr int kNames = 200;
  Resolver resolver;
  auto time = std::make_unique<test::RealTime>();
  std::stop_source stop;
  int ended = 0;
  time->loop().Post([&] {
    for (int i = 0; i < kNames; ++i) {
      Spawn(Ask(time->loop(), resolver, ended), stop.get_token());
    }
    stop.request_stop();
  });
  EXPECT_TRUE(time->RunUntil([&] { return ended == kNames; }));
  time.reset();
  test::RealTime later;  // who asks last is answered after what was asked before
  ended = 0;
  later.loop().Post([&] { Spawn(Ask(later.loop(), resolver, ended)); });
  EXPECT_TRUE(later.RunUntil([&] { return ended == 1; }));
}

TEST(ResolverTest, WhoHasGoneTakesNoPlaceInTheQueue) {
  Resolver resolver;
  test::RealTime time;
  for (int round = 0; round < 4; ++round) {
    std::stop_source stop;
    int ended = 0;
    time.loop().Post([&] {
      for (int i = 0; i < 250; ++i) Spawn(Ask(time.loop(), resolver, ended), stop.get_token());
      stop.request_stop();
    });
    ASSERT_TRUE(time.RunUntil([&] { return ended == 250; }));
  }
  Result<std::vector<Address>> found = Fail(Code::kUnknown, "");
  bool done = false;
  const auto look = [](Loop& loop, Resolver& r, auto& out, bool& end) -> Task<void> {
    out = co_await r.Resolve(loop, "localhost:80", kNever);
    end = true;
  };
  time.loop().Post([&] { Spawn(look(time.loop(), resolver, found, done)); });
  ASSERT_TRUE(time.RunUntil([&] { return done; }));
  EXPECT_TRUE(found) << found.error().message;
}

}  // namespace
}  // namespace hale::net
