#include "hale/base/field.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hale/base/quantity.h"
#include "hale/base/time.h"

namespace hale {
namespace {

enum class Colour : std::uint8_t { kRed, kGreen };
constexpr auto Names(Type<Colour>) {
  return std::array{Name<Colour>{"red", Colour::kRed}, Name<Colour>{"green", Colour::kGreen}};
}

struct Inner {
  int a = 1;
  std::string b = "x";
};
constexpr auto Fields(Type<Inner>) {
  return std::tuple{Field{"a", &Inner::a, 0, 10, "a number"}, Field{"b", &Inner::b, "a word"}};
}

struct Outer {
  bool on = false;
  double share = 0.5;
  Duration wait = 2s;
  Rate rate{1, 1s};
  Colour colour = Colour::kRed;
  Inner inner = {};
  std::vector<Inner> many = {};
  std::map<std::string, Inner> by_name = {};
};
constexpr auto Fields(Type<Outer>) {
  using O = Outer;
  return std::tuple{Field{"on", &O::on, "a switch"},
                    Field{"share", &O::share, 0.0, 1.0, "a share"},
                    Field{"wait", &O::wait, 10ms, 1h, "a span"},
                    Field{"rate", &O::rate, "a rate"},
                    Field{"colour", &O::colour, "one of two"},
                    Field{"inner", &O::inner, "a record"},
                    Field{"many", &O::many, "records"},
                    Field{"by_name", &O::by_name, "records with names"}};
}

struct NoSchema {
  int a = 0;
};

TEST(FieldTest, CountsTheMembersOfAnAggregate) {
  EXPECT_EQ(internal::MemberCount<Inner>(), 2U);
  EXPECT_EQ(internal::MemberCount<Outer>(), 8U);
  EXPECT_EQ(internal::MemberCount<NoSchema>(), 1U);
}

TEST(FieldTest, EachMemberHasOneRow) {
  // CheckedFields does not compile otherwise.
  EXPECT_EQ(std::tuple_size_v<decltype(CheckedFields<Outer>())>, 8U);
}

TEST(FieldTest, ReadsAndWritesThroughARow) {
  constexpr auto row = std::get<0>(CheckedFields<Inner>());
  Inner inner;
  inner.*row.member = 5;
  EXPECT_EQ(inner.a, 5);
  EXPECT_EQ(row.name, "a");
  EXPECT_EQ(row.about, "a number");
}

TEST(FieldTest, BoundsHaveTheMembersType) {
  constexpr auto row = std::get<2>(CheckedFields<Outer>());
  static_assert(std::is_same_v<decltype(row.bounds.low), Duration>);
  EXPECT_EQ(row.bounds.low, Duration(10ms));
  EXPECT_EQ(row.bounds.high, Duration(1h));
}

TEST(FieldTest, ARowWithoutBoundsSaysSo) {
  EXPECT_FALSE((std::tuple_element_t<0, decltype(CheckedFields<Outer>())>::kBounded));
  EXPECT_TRUE((std::tuple_element_t<1, decltype(CheckedFields<Outer>())>::kBounded));
}

TEST(FieldTest, FindsWhatHasASchema) {
  static_assert(HasFields<Outer> && !HasFields<NoSchema> && !HasFields<int>);
  static_assert(HasNames<Colour> && !HasNames<Outer>);
  EXPECT_EQ(Names(Type<Colour>{})[1].word, "green");
}

}  // namespace
}  // namespace hale
