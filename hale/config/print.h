#pragma once

#include <string>
#include <vector>

#include "hale/config/origins.h"
#include "hale/config/schema.h"
#include "hale/config/schema_of.h"

namespace hale::config {

/// The value as JSON on one line, every default written out, secrets as `***`. Without secrets the
/// reader reads back the same value. Pure.
std::string Dump(const Schema& schema, const void* value);
template <class T>
std::string Dump(const T& value) {
  return Dump(kSchema<T>, &value);
}

/// The same shape, where each leaf is `{"value": ..., "origin": "hale.yaml:14"}` or `"default"`.
/// Pure.
std::string DumpWithOrigins(const Schema& schema, const void* value, const Origins& origins);
template <class T>
std::string DumpWithOrigins(const T& value, const Origins& origins) {
  return DumpWithOrigins(kSchema<T>, &value, origins);
}

/// One leaf that is not what it was. Values are JSON; empty: it is not there. Of a secret only
/// that it changed is told.
struct Change {
  std::string path;
  std::string before;
  std::string after;

  friend bool operator==(const Change&, const Change&) = default;
};

/// What differs between two values of one schema, by path. Elements of lists are compared by
/// index. Pure.
std::vector<Change> Diff(const Schema& schema, const void* before, const void* after);
template <class T>
std::vector<Change> Diff(const T& before, const T& after) {
  return Diff(kSchema<T>, &before, &after);
}

/// The reference: a Markdown table `| key | what | default | allowed |` of every key below the
/// schema, `<name>` for a map's keys and `[]` for a list's elements. Pure.
std::string Reference(const Schema& schema);
template <class T>
std::string Reference() {
  return Reference(kSchema<T>);
}

}  // namespace hale::config
