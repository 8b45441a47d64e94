#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/quantity.h"
#include "hale/config/node.h"
#include "hale/config/secret.h"

namespace hale::config {

enum class Colour : std::uint8_t { kRed, kGreen };

constexpr auto Names(Type<Colour>) {
  return std::array{Name<Colour>{"red", Colour::kRed}, Name<Colour>{"green", Colour::kGreen}};
}

/// A record that its size alone can stand for.
struct Wheel {
  Size size{16};
  bool spare = false;

  friend bool operator==(const Wheel&, const Wheel&) = default;
};

constexpr auto Fields(Type<Wheel>) {
  return std::tuple{Field{"size", &Wheel::size, Size{1}, Size{1024}, "of the wheel"},
                    Field{"spare", &Wheel::spare, "not in use"}};
}
constexpr std::string_view Shorthand(Type<Wheel>) { return "size"; }

/// One of everything that a document can hold, for the tests of this layer.
struct Sample {
  bool on = true;
  std::uint16_t port = 80;
  std::int64_t offset = 0;
  double share = 0.5;
  Duration wait = 2s;
  Rate rate{100, 1s};
  std::string name = "anna";
  Colour colour = Colour::kRed;
  Secret<std::string> token = {};
  Wheel wheel = {};
  std::vector<Wheel> wheels = {};
  std::vector<int> numbers = {};
  std::map<std::string, Wheel> by_name = {};
  Node any = {};

  friend bool operator==(const Sample&, const Sample&) = default;
};

constexpr auto Fields(Type<Sample>) {
  using S = Sample;
  return std::tuple{Field{"on", &S::on, "a switch"},
                    Field{"port", &S::port, 1, 65535, "a port"},
                    Field{"offset", &S::offset, "any number"},
                    Field{"share", &S::share, 0.0, 1.0, "a share"},
                    Field{"wait", &S::wait, 1ms, 1h, "a span"},
                    Field{"rate", &S::rate, Rate{1, 1h}, Rate{1000, 1s}, "a rate"},
                    Field{"name", &S::name, "a word"},
                    Field{"colour", &S::colour, "one of two"},
                    Field{"token", &S::token, "nobody's business"},
                    Field{"wheel", &S::wheel, "one"},
                    Field{"wheels", &S::wheels, "many"},
                    Field{"numbers", &S::numbers, "whole ones"},
                    Field{"by_name", &S::by_name, "with names"},
                    Field{"any", &S::any, "whatever"}};
}

}  // namespace hale::config
