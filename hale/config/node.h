#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hale/config/problem.h"

namespace hale::config {

/// Deeper documents are refused: no setting of ours is below depth 10.
inline constexpr std::size_t kMaxDepth = 64;

/// One value of a document as it was written, with where. What a scalar means is not decided here:
/// the schema says whether `5` is a number or a name, so `on`, `no` and `1.10` are never surprises.
struct Node {
  enum class Kind : std::uint8_t {
    kNull,    ///< a key with nothing behind it, `null`, `~`
    kScalar,  ///< `text`
    kList,
    kMap,     ///< children have keys, each once, in the order of the document
    kBroken,  ///< was complained about already; whoever reads it stays silent
  };

  Kind kind = Kind::kNull;
  bool quoted = false;  ///< a scalar in quotes
  Position at{};
  std::string text{};
  std::string key{};  ///< when it is in a map
  Position key_at{};
  std::vector<Node> children{};

  /// The child of a map with this key, or null. Linear.
  const Node* Find(std::string_view name) const;

  /// By content; places and quotes do not count.
  friend bool operator==(const Node& a, const Node& b) {
    return a.kind == b.kind && a.text == b.text && a.key == b.key && a.children == b.children;
  }
};

/// A document, or why it is none: then `problems` holds at least one error.
struct Tree {
  Node root;
  Problems problems;
};

/// Reads one YAML or JSON document of UTF-8 text. Refused, each with its place: nothing in it, more
/// than kMaxDocument bytes, other than text, bad syntax, a second document, duplicate keys, keys
/// that are not scalars, aliases, anchors, tags, depth beyond kMaxDepth. Pure.
Tree ParseTree(std::string_view text, std::string_view file);

}  // namespace hale::config
