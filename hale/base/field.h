#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hale {

/// Names a type as a value, so that its schema is found by argument-dependent look-up:
/// `constexpr auto Fields(hale::Type<MyOptions>)`.
template <class T>
struct Type {
  using type = T;
};

struct Unbounded {};

/// Both ends are allowed.
template <class T>
struct Range {
  T low;
  T high;
};

/// One row of a schema: it parses, validates, prints the reference page and a form.
template <class Owner, class Member, class Bounds>
struct Field {
  constexpr Field(std::string_view n, Member Owner::* m, std::string_view text)
      : name(n), member(m), about(text) {}
  template <class Low, class High>
  constexpr Field(std::string_view n, Member Owner::* m, Low low, High high, std::string_view text)
      : name(n),
        member(m),
        bounds{static_cast<Member>(low), static_cast<Member>(high)},
        about(text) {}

  using owner_type = Owner;
  using member_type = Member;
  static constexpr bool kBounded = !std::is_same_v<Bounds, Unbounded>;

  std::string_view name;
  Member Owner::* member;
  [[no_unique_address]] Bounds bounds{};
  std::string_view about;
};
template <class O, class M>
Field(std::string_view, M O::*, std::string_view) -> Field<O, M, Unbounded>;
template <class O, class M, class L, class H>
Field(std::string_view, M O::*, L, H, std::string_view) -> Field<O, M, Range<M>>;

/// One word of an enum's schema: `constexpr auto Names(hale::Type<MyEnum>)` gives an array of them.
template <class E>
struct Name {
  std::string_view word;
  E value;
};

template <class T>
concept HasFields = requires { Fields(Type<T>{}); };
template <class T>
concept HasNames = std::is_enum_v<T> && requires { Names(Type<T>{}); };

namespace internal {

struct Anything {
  template <class T>
  constexpr operator T() const;  // NOLINT: it must convert to whatever a member is
};

template <class T, class... Args>
concept BraceInitializable = requires { T{std::declval<Args>()...}; };

template <class T, std::size_t... I>
constexpr bool InitializableBy(std::index_sequence<I...>) {
  return BraceInitializable<T, decltype((static_cast<void>(I), Anything{}))...>;
}

template <class T, std::size_t N = 48>
constexpr std::size_t MemberCount() {
  if constexpr (N == 0 || InitializableBy<T>(std::make_index_sequence<N>{})) {
    return N;
  } else {
    return MemberCount<T, N - 1>();
  }
}

}  // namespace internal

/// The schema of T; does not compile when a member of the aggregate has no row.
template <HasFields T>
constexpr auto CheckedFields() {
  constexpr auto fields = Fields(Type<T>{});
  static_assert(std::tuple_size_v<decltype(fields)> == internal::MemberCount<T>(),
                "each member of the aggregate has one row in Fields()");
  return fields;
}

}  // namespace hale
