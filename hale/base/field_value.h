#pragma once

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/quantity.h"

namespace hale {

/// A value of a schema as it stands in a document. Pure.
template <class T>
std::string PrintValue(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::integral<T>) {
    return std::to_string(value);
  } else if constexpr (std::same_as<T, double>) {
    return PrintShare(value);
  } else if constexpr (std::same_as<T, std::string>) {
    return value;
  } else if constexpr (HasNames<T>) {
    for (const auto& name : Names(Type<T>{})) {
      if (name.value == value) return std::string(name.word);
    }
    return "?";
  } else {
    return Print(value);
  }
}
template <class T>
std::string PrintValue(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) {
    out += out.empty() ? "[" : ", ";
    out += PrintValue(value);
  }
  return out.empty() ? "[]" : out + "]";
}

template <class T>
std::string PrintValue(const std::map<std::string, T>& values) {
  std::string out;
  for (const auto& [key, value] : values) {
    out += out.empty() ? "{" : ", ";
    out += key + ": " + PrintValue(value);
  }
  return out.empty() ? "{}" : out + "}";
}

/// Whether a value lies within bounds; what is not a number lies within none. A Rate has no order
/// of its own, since 1/s and 60/min are different values. Pure.
template <class T>
constexpr bool Inside(const T& value, const Range<T>& bounds) {
  if constexpr (std::same_as<T, Rate>) {
    return bounds.low.PerSecond() <= value.PerSecond() &&
           value.PerSecond() <= bounds.high.PerSecond();
  } else {
    return bounds.low <= value && value <= bounds.high;
  }
}

/// A remark about one setting. The path is that of its key: `retry.budget.ratio`.
struct Remark {
  std::string path;
  std::string text;

  friend bool operator==(const Remark&, const Remark&) = default;
};

/// One setting that is not what it was.
struct Change {
  std::string path;
  std::string before;
  std::string after;

  friend bool operator==(const Change&, const Change&) = default;
};

/// `path: text`, `path: before -> after`, a line each. Pure.
std::string Print(const std::vector<Remark>& remarks);
std::string Print(const std::vector<Change>& changes);

namespace internal {

/// Calls visit(path, field, record) for each setting of a record that is not a record itself.
template <HasFields T, class Visit>
void EachSetting(const T& record, const std::string& parent, const Visit& visit) {
  const auto one = [&](const auto& field) {
    using M = typename std::remove_cvref_t<decltype(field)>::member_type;
    std::string path = parent;
    if (!path.empty()) path += '.';
    path += field.name;
    if constexpr (HasFields<M>) {
      EachSetting(record.*field.member, path, visit);
    } else {
      visit(std::move(path), field, record);
    }
  };
  std::apply([&](const auto&... field) { (one(field), ...); }, CheckedFields<T>());
}

}  // namespace internal

/// Each setting that its schema does not allow. Pure.
template <HasFields T>
std::vector<Remark> OutOfRange(const T& record) {
  std::vector<Remark> remarks;
  internal::EachSetting(record, {}, [&](std::string path, const auto& field, const auto& owner) {
    if constexpr (std::remove_cvref_t<decltype(field)>::kBounded) {
      if (Inside(owner.*field.member, field.bounds)) return;
      remarks.push_back({std::move(path), PrintValue(owner.*field.member) + " is out of range, " +
                                              PrintValue(field.bounds.low) + " to " +
                                              PrintValue(field.bounds.high)});
    }
  });
  return remarks;
}

/// What differs between two records of one type. Pure.
template <HasFields T>
std::vector<Change> Differences(const T& before, const T& after) {
  std::vector<Change> settings;
  internal::EachSetting(before, {}, [&](std::string path, const auto& field, const auto& owner) {
    settings.push_back({std::move(path), PrintValue(owner.*field.member), {}});
  });
  auto at = settings.begin();
  internal::EachSetting(after, {}, [&](std::string, const auto& field, const auto& owner) {
    (at++)->after = PrintValue(owner.*field.member);
  });
  std::erase_if(settings, [](const Change& change) { return change.before == change.after; });
  return settings;
}

}  // namespace hale
