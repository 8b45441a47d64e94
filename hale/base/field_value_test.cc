#include "hale/base/field_value.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace hale {
namespace {

enum class Colour : std::uint8_t { kRed, kGreen };
constexpr auto Names(Type<Colour>) {
  return std::array{Name<Colour>{"red", Colour::kRed}, Name<Colour>{"green", Colour::kGreen}};
}

struct Inner {
  std::uint32_t count = 1;
  double share = 0.5;
  std::vector<int> list = {502, 503};
};
constexpr auto Fields(Type<Inner>) {
  return std::tuple{Field{"count", &Inner::count, 1, 10, "a number"},
                    Field{"share", &Inner::share, 0.0, 1.0, "a share"},
                    Field{"list", &Inner::list, "numbers"}};
}

struct Outer {
  Duration wait = 2s;
  Rate rate{1, 1s};
  Colour colour = Colour::kRed;
  Inner inner = {};
};
constexpr auto Fields(Type<Outer>) {
  using O = Outer;
  return std::tuple{Field{"wait", &O::wait, 10ms, 1h, "a span"},
                    Field{"rate", &O::rate, Rate{1, 24h}, Rate{100, 1s}, "a rate"},
                    Field{"colour", &O::colour, "one of two"},
                    Field{"inner", &O::inner, "a record"}};
}

TEST(FieldValueTest, PrintsAsInADocument) {
  EXPECT_EQ(PrintValue(true), "true");
  EXPECT_EQ(PrintValue(0.25), "0.25");
  EXPECT_EQ(PrintValue(Duration(1500ms)), "1500ms");
  EXPECT_EQ(PrintValue(Colour::kGreen), "green");
  EXPECT_EQ(PrintValue(std::vector<int>{1, 2}), "[1, 2]");
  EXPECT_EQ(PrintValue(std::vector<int>{}), "[]");
  EXPECT_EQ(PrintValue(std::map<std::string, double>{{"a", 0.3}, {"b", 1}}), "{a: 0.3, b: 1}");
}

TEST(FieldValueTest, NamesEverySettingThatIsOutOfRange) {
  const Outer bad{.wait = 9ms, .inner = {.count = 11}};
  EXPECT_EQ(Print(OutOfRange(bad)),
            "wait: 9ms is out of range, 10ms to 1h\n"
            "inner.count: 11 is out of range, 1 to 10\n");
}

TEST(FieldValueTest, AllowsBothEnds) {
  EXPECT_TRUE(OutOfRange(Outer{.wait = 10ms, .inner = {.count = 10, .share = 0}}).empty());
  EXPECT_TRUE(OutOfRange(Outer{.wait = 1h, .inner = {.count = 1, .share = 1}}).empty());
}

TEST(FieldValueTest, WhatIsNotANumberIsOutOfAnyRange) {
  EXPECT_EQ(OutOfRange(Inner{.share = std::nan("")}).size(), 1U);
}

TEST(FieldValueTest, ComparesRatesByWhatTheyComeTo) {
  EXPECT_TRUE(OutOfRange(Outer{.rate = {6000, 1min}}).empty());
  EXPECT_EQ(OutOfRange(Outer{.rate = {6001, 1min}}).size(), 1U);
  EXPECT_EQ(OutOfRange(Outer{.rate = {0, 1s}}).size(), 1U);
}

TEST(FieldValueTest, SaysWhatDiffersByItsPath) {
  const Outer before;
  const Outer after{.wait = 3s, .colour = Colour::kGreen, .inner = {.list = {504}}};
  EXPECT_EQ(Print(Differences(before, after)),
            "wait: 2s -> 3s\n"
            "colour: red -> green\n"
            "inner.list: [502, 503] -> [504]\n");
  EXPECT_TRUE(Differences(after, after).empty());
}

}  // namespace
}  // namespace hale
