#include "hale/config/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "hale/config/text.h"

namespace hale::config {
namespace {

constexpr std::string_view kHidden = "\"***\"";

// JSON's grammar for a number (RFC 8259 §6) is narrower than what from_chars takes.
bool IsJsonNumber(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  if (whole == 0 || (whole > 1 && digits.front() == '0')) return false;
  digits.remove_prefix(whole);
  if (digits.empty()) return true;
  if (digits.front() != '.' || digits.size() == 1) return false;
  return digits.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

void AppendNode(std::string& out, const Node& node) {
  if (node.kind == Node::Kind::kScalar) {
    const bool bare =
        !node.quoted && (node.text == "true" || node.text == "false" || IsJsonNumber(node.text));
    out += bare ? node.text : JsonQuote(node.text);
    return;
  }
  if (node.kind != Node::Kind::kList && node.kind != Node::Kind::kMap) {
    out += "null";
    return;
  }
  const bool map = node.kind == Node::Kind::kMap;
  out += map ? '{' : '[';
  for (const Node& child : node.children) {
    if (&child != node.children.data()) out += ',';
    if (map) out += JsonQuote(child.key) + ':';
    AppendNode(out, child);
  }
  out += map ? '}' : ']';
}

std::string Leaf(const Schema& schema, const void* value) {
  switch (schema.kind) {
    case Kind::kBool:
    case Kind::kInteger:
    case Kind::kShare:
      return schema.print(value);
    case Kind::kSecret:
      return static_cast<const Secret<std::string>*>(value)->empty() ? "\"\""
                                                                     : std::string(kHidden);
    case Kind::kAny: {
      std::string out;
      AppendNode(out, *static_cast<const Node*>(value));
      return out;
    }
    default:
      return JsonQuote(schema.print(value));
  }
}

const void* Member(const Row& row, const void* record) {
  // Row::at only computes an address; the value is not written through it here.
  return row.at(const_cast<void*>(record));  // NOLINT
}

// Writes a tree of values; how a leaf looks is its maker's choice.
class Writer {
 public:
  using LeafText =
      std::function<std::string(const Schema&, const void* value, const std::string& path)>;
  explicit Writer(LeafText leaf) : leaf_(std::move(leaf)) {}

  void Write(const Schema& schema, const void* value, const std::string& path) {
    switch (schema.kind) {
      case Kind::kList:
        return WriteList(schema, value, path);
      case Kind::kMap:
        return WriteMap(schema, value, path);
      case Kind::kRecord:
        return WriteRecord(schema, value, path);
      default:
        out_ += leaf_(schema, value, path);
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  void WriteList(const Schema& schema, const void* value, const std::string& path) {
    out_ += '[';
    std::size_t index = 0;
    schema.each(value, [&](const std::string&, const void* element) {
      if (index != 0) out_ += ',';
      Write(*schema.element, element, JoinIndex(path, index++));
    });
    out_ += ']';
  }

  void WriteMap(const Schema& schema, const void* value, const std::string& path) {
    out_ += '{';
    bool first = true;
    schema.each(value, [&](const std::string& key, const void* element) {
      if (!std::exchange(first, false)) out_ += ',';
      out_ += JsonQuote(key) + ':';
      Write(*schema.element, element, JoinKey(path, key));
    });
    out_ += '}';
  }

  void WriteRecord(const Schema& schema, const void* value, const std::string& path) {
    out_ += '{';
    for (const Row& row : schema.rows) {
      if (&row != schema.rows.data()) out_ += ',';
      out_ += JsonQuote(row.name) + ':';
      Write(*row.schema, Member(row, value), JoinKey(path, row.name));
    }
    out_ += '}';
  }

  LeafText leaf_;
  std::string out_;
};

struct Shown {
  std::string text;
  const Secret<std::string>* secret = nullptr;
};
using Leaves = std::map<std::string, Shown>;

void Flatten(const Schema& schema, const void* value, const std::string& path, Leaves& leaves) {
  if (schema.kind == Kind::kRecord) {
    for (const Row& row : schema.rows) {
      Flatten(*row.schema, Member(row, value), JoinKey(path, row.name), leaves);
    }
  } else if (schema.kind == Kind::kList || schema.kind == Kind::kMap) {
    std::size_t index = 0;
    schema.each(value, [&](const std::string& key, const void* element) {
      const bool list = schema.kind == Kind::kList;
      Flatten(*schema.element, element, list ? JoinIndex(path, index) : JoinKey(path, key), leaves);
      ++index;
    });
  } else {
    Shown shown{.text = Leaf(schema, value)};
    if (schema.kind == Kind::kSecret) {
      shown.secret = static_cast<const Secret<std::string>*>(value);
    }
    leaves.emplace(path, std::move(shown));
  }
}

bool Same(const Shown& a, const Shown& b) {
  if (a.secret != nullptr && b.secret != nullptr) return *a.secret == *b.secret;
  return a.text == b.text;
}

// A cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void AppendRows(std::string& out, const Schema& schema, const void* value, const std::string& path);

void AppendRow(std::string& out, const Row& row, const void* record, const std::string& parent) {
  std::string path = JoinKey(parent, row.name);
  const Schema* schema = row.schema;
  const void* value = Member(row, record);
  std::string what = Expected(*schema);
  std::string shown;
  if (schema->kind == Kind::kRecord) {
    what = schema->shorthand.empty()
               ? "a map"
               : "a map, or its `" + std::string(schema->shorthand) + "` alone";
  } else {
    Writer writer([](const Schema& s, const void* v, const std::string&) { return Leaf(s, v); });
    writer.Write(*schema, value, {});
    shown = '`' + writer.Take() + '`';
  }
  if (row.inside != nullptr) what = row.low() + " to " + row.high();
  out +=
      "| `" + path + "` | " + Cell(row.about) + " | " + Cell(shown) + " | " + Cell(what) + " |\n";
  while (schema->kind == Kind::kList || schema->kind == Kind::kMap) {
    path += schema->kind == Kind::kList ? "[]" : ".<name>";
    schema = schema->element;
    value = schema->blank();
  }
  if (schema->kind == Kind::kRecord) AppendRows(out, *schema, value, path);
}

void AppendRows(std::string& out, const Schema& schema, const void* value,
                const std::string& path) {
  for (const Row& row : schema.rows) AppendRow(out, row, value, path);
}

}  // namespace

std::string Dump(const Schema& schema, const void* value) {
  Writer writer([](const Schema& s, const void* v, const std::string&) { return Leaf(s, v); });
  writer.Write(schema, value, {});
  return writer.Take();
}

std::string DumpWithOrigins(const Schema& schema, const void* value, const Origins& origins) {
  Writer writer([&](const Schema& s, const void* v, const std::string& path) {
    return "{\"value\":" + Leaf(s, v) + ",\"origin\":" + JsonQuote(origins.Describe(path)) + "}";
  });
  writer.Write(schema, value, {});
  return writer.Take();
}

std::vector<Change> Diff(const Schema& schema, const void* before, const void* after) {
  Leaves old_leaves;
  Leaves new_leaves;
  Flatten(schema, before, {}, old_leaves);
  Flatten(schema, after, {}, new_leaves);
  std::vector<Change> changes;
  for (const auto& [path, shown] : old_leaves) {
    const auto now = new_leaves.find(path);
    if (now == new_leaves.end()) {
      changes.push_back({path, shown.text, {}});
    } else if (!Same(shown, now->second)) {
      changes.push_back({path, shown.text, now->second.text});
    }
  }
  for (const auto& [path, shown] : new_leaves) {
    if (!old_leaves.contains(path)) changes.push_back({path, {}, shown.text});
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.path < b.path; });
  return changes;
}

std::string Reference(const Schema& schema) {
  std::string out = "| key | what it is | default | allowed |\n|---|---|---|---|\n";
  AppendRows(out, schema, schema.blank(), {});
  return out;
}

}  // namespace hale::config
