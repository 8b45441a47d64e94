#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace hale::config {

/// What a value is in a document.
enum class Kind : std::uint8_t {
  kBool,
  kInteger,
  kShare,
  kDuration,
  kRate,
  kSize,
  kText,
  kWord,    ///< one of a closed set: an enum with Names()
  kSecret,  ///< Secret<std::string>
  kAny,     ///< Node: kept as it was written, read later by who knows its type
  kList,    ///< std::vector
  kMap,     ///< std::map<std::string, T>
  kRecord,  ///< an aggregate with Fields()
};

struct Schema;
using EachCall = std::function<void(const std::string& key, const void* value)>;

/// One field of a record.
struct Row {
  std::string_view name;
  std::string_view about;
  const Schema* schema = nullptr;
  void* (*at)(void* record) = nullptr;
  bool (*inside)(const void* record) = nullptr;  ///< null: without bounds
  std::string (*low)() = nullptr;
  std::string (*high)() = nullptr;
};

/// The shape of a type, made from its Fields() and Names() at compile time, so that one reader, one
/// printer and one reference page serve every type without being templates. The `void*` are values
/// of the type whose schema it is. Immutable, lives as long as the process. Thread-safe.
struct Schema {
  Kind kind = Kind::kRecord;
  /// Leaves: reads, and returns what is wrong, empty when it is fine; prints what parses the same.
  std::string (*parse)(std::string_view text, void* value) = nullptr;
  std::string (*print)(const void* value) = nullptr;
  std::span<const std::string_view> words;  ///< kWord: all of them
  /// kList, kMap.
  const Schema* element = nullptr;
  void (*clear)(void* all) = nullptr;
  void* (*add)(void* all, const std::string& key) = nullptr;
  void (*each)(const void* all, const EachCall& call) = nullptr;
  /// kRecord.
  std::span<const Row> rows;
  std::string_view shorthand;        ///< the field that a scalar or list stands for; empty: none
  const void* (*blank)() = nullptr;  ///< a value with every default
};

/// What is expected there, for a message: `a duration such as 250ms`. Pure.
std::string Expected(const Schema& schema);

}  // namespace hale::config
