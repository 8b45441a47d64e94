#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/field_value.h"
#include "hale/base/quantity.h"
#include "hale/config/node.h"
#include "hale/config/schema.h"
#include "hale/config/secret.h"

namespace hale::config {

/// `budget: 10%` for `budget: {ratio: 10%}`: `constexpr std::string_view Shorthand(Type<Options>)`
/// names the field that is meant when what stands there is not a map.
template <class T>
concept HasShorthand = requires {
  { Shorthand(Type<T>{}) } -> std::convertible_to<std::string_view>;
};

namespace internal {

// What a complaint about a number that was read, but is too small or too large, contains.
inline constexpr std::string_view kOutOfRange = " is out of range, ";

std::string Parse(std::string_view text, bool& out);
std::string Parse(std::string_view text, double& out);
std::string Parse(std::string_view text, Duration& out);
std::string Parse(std::string_view text, Rate& out);
std::string Parse(std::string_view text, Size& out);
std::string Parse(std::string_view text, std::string& out);
std::string ParseInteger(std::string_view text, std::int64_t low, std::int64_t high,
                         std::int64_t& out);
std::string ParseWord(std::string_view text, std::span<const std::string_view> words,
                      std::size_t& index);

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// The words of an enum, in the order of Names().
template <HasNames E>
constexpr auto Words() {
  constexpr auto names = Names(Type<E>{});
  std::array<std::string_view, names.size()> words{};
  for (std::size_t i = 0; i < names.size(); ++i) words[i] = names[i].word;
  return words;
}

template <class T>
inline constexpr auto kWords = Words<T>();

template <class T>
constexpr Kind KindOf() {
  if constexpr (std::same_as<T, bool>)
    return Kind::kBool;
  else if constexpr (Integer<T>)
    return Kind::kInteger;
  else if constexpr (std::same_as<T, double>)
    return Kind::kShare;
  else if constexpr (std::same_as<T, Duration>)
    return Kind::kDuration;
  else if constexpr (std::same_as<T, Rate>)
    return Kind::kRate;
  else if constexpr (std::same_as<T, Size>)
    return Kind::kSize;
  else if constexpr (std::same_as<T, std::string>)
    return Kind::kText;
  else if constexpr (std::same_as<T, Secret<std::string>>)
    return Kind::kSecret;
  else if constexpr (std::same_as<T, Node>)
    return Kind::kAny;
  else if constexpr (HasNames<T>)
    return Kind::kWord;
  else if constexpr (kIsList<T>)
    return Kind::kList;
  else if constexpr (kIsMap<T>)
    return Kind::kMap;
  else {
    static_assert(HasFields<T>, "a setting's type needs Fields(Type<T>) or Names(Type<T>)");
    return Kind::kRecord;
  }
}

template <class T>
std::string ParseLeaf(std::string_view text, void* value) {
  T& out = *static_cast<T*>(value);
  if constexpr (Integer<T>) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    constexpr auto kLow = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    constexpr auto kHigh =
        static_cast<std::int64_t>(std::min<std::uint64_t>(std::numeric_limits<T>::max(), kMost));
    std::int64_t number = 0;
    auto complaint = ParseInteger(text, kLow, kHigh, number);
    if (complaint.empty()) out = static_cast<T>(number);
    return complaint;
  } else if constexpr (HasNames<T>) {
    std::size_t index = 0;
    auto complaint = ParseWord(text, kWords<T>, index);
    if (complaint.empty()) out = Names(Type<T>{})[index].value;
    return complaint;
  } else {
    return Parse(text, out);
  }
}

template <class T>
std::string PrintLeaf(const void* value) {
  return PrintValue(*static_cast<const T*>(value));
}

template <class T>
constexpr Schema MakeSchema();
}  // namespace internal

/// The schema of T.
template <class T>
inline constexpr Schema kSchema = internal::MakeSchema<T>();

namespace internal {

template <class T, std::size_t I>
inline constexpr auto kField = std::get<I>(CheckedFields<T>());

template <class T, std::size_t I>
constexpr Row MakeRow() {
  using F = std::remove_const_t<decltype(kField<T, I>)>;
  using M = typename F::member_type;
  Row row;
  row.name = kField<T, I>.name;
  row.about = kField<T, I>.about;
  row.schema = &kSchema<M>;
  row.at = [](void* record) -> void* { return &(static_cast<T*>(record)->*kField<T, I>.member); };
  if constexpr (F::kBounded) {
    row.inside = [](const void* record) {
      return Inside(static_cast<const T*>(record)->*kField<T, I>.member, kField<T, I>.bounds);
    };
    row.low = [] { return PrintLeaf<M>(&kField<T, I>.bounds.low); };
    row.high = [] { return PrintLeaf<M>(&kField<T, I>.bounds.high); };
  }
  return row;
}

template <class T, std::size_t... I>
constexpr auto MakeRows(std::index_sequence<I...>) {
  return std::array<Row, sizeof...(I)>{MakeRow<T, I>()...};
}

template <class T>
inline constexpr auto kRows =
    MakeRows<T>(std::make_index_sequence<std::tuple_size_v<decltype(CheckedFields<T>())>>{});

template <class T>
constexpr void DescribeList(Schema& schema) {
  schema.element = &kSchema<typename T::value_type>;
  schema.clear = [](void* all) { static_cast<T*>(all)->clear(); };
  schema.add = [](void* all, const std::string&) -> void* {
    return &static_cast<T*>(all)->emplace_back();
  };
  schema.each = [](const void* all, const EachCall& call) {
    for (const auto& value : *static_cast<const T*>(all)) call({}, &value);
  };
}

template <class T>
constexpr void DescribeMap(Schema& schema) {
  schema.element = &kSchema<typename T::mapped_type>;
  schema.clear = [](void* all) { static_cast<T*>(all)->clear(); };
  schema.add = [](void* all, const std::string& key) -> void* {
    return &(*static_cast<T*>(all))[key];
  };
  schema.each = [](const void* all, const EachCall& call) {
    for (const auto& [key, value] : *static_cast<const T*>(all)) call(key, &value);
  };
}

template <class T>
constexpr Schema MakeSchema() {
  Schema schema;
  schema.kind = KindOf<T>();
  if constexpr (kIsList<T>) {
    DescribeList<T>(schema);
  } else if constexpr (kIsMap<T>) {
    DescribeMap<T>(schema);
  } else if constexpr (KindOf<T>() == Kind::kRecord) {
    schema.rows = kRows<T>;
    if constexpr (HasShorthand<T>) schema.shorthand = Shorthand(Type<T>{});
  } else if constexpr (KindOf<T>() != Kind::kSecret && KindOf<T>() != Kind::kAny) {
    schema.parse = &ParseLeaf<T>;
    schema.print = &PrintLeaf<T>;
    if constexpr (HasNames<T>) schema.words = kWords<T>;
  }
  schema.blank = []() -> const void* {
    static const T value{};
    return &value;
  };
  return schema;
}

}  // namespace internal
}  // namespace hale::config
