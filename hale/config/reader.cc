#include "hale/config/reader.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "hale/base/quantity.h"
#include "hale/config/file.h"
#include "hale/config/text.h"

namespace hale::config {
namespace {

constexpr Size kMaxSecret{64 * 1024};

std::string_view Found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    default:
      return "a word";
  }
}

/// One walk down a document and the schema beside it.
class Walk {
 public:
  explicit Walk(Reading reading) : reading_(reading) {}

  void Fill(const Schema& schema, void* out, const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::kBroken) return;
    reading_.origins.Add(path, node.key.empty() ? node.at : node.key_at);
    if (schema.kind == Kind::kAny) {
      Node& any = *static_cast<Node*>(out);
      FillAny(any, node, path);
      any.key.clear();  // it is the value of the key, not a part of a map
      return;
    }
    if (node.kind == Node::Kind::kNull) {
      return Error(node.key_at, path,
                   "is empty; leave the key out for its default, or write " + Expected(schema));
    }
    switch (schema.kind) {
      case Kind::kList:
        return FillList(schema, out, node, path);
      case Kind::kMap:
        return FillMap(schema, out, node, path);
      case Kind::kRecord:
        return FillRecord(schema, out, node, path);
      case Kind::kSecret:
        return FillSecret(*static_cast<Secret<std::string>*>(out), node, path);
      default:
        return FillLeaf(schema, out, node, path);
    }
  }

 private:
  void Error(Position at, const std::string& path, std::string message) {
    if (reading_.problems.size() >= kMaxProblems) return;
    reading_.problems.push_back(
        {Severity::kError, reading_.origins.file(), at, path, std::move(message)});
  }

  void Unexpected(const Schema& schema, const Node& node, const std::string& path) {
    Error(node.at, path, "found " + std::string(Found(node)) + ", expected " + Expected(schema));
  }

  void FillAny(Node& out, const Node& node, const std::string& path) {
    out = node;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Node& child = node.children[i];
      const bool map = node.kind == Node::Kind::kMap;
      const std::string below = map ? JoinKey(path, child.key) : JoinIndex(path, i);
      reading_.origins.Add(below, map ? child.key_at : child.at);
      Node ignored;
      FillAny(ignored, child, below);
    }
  }

  void FillLeaf(const Schema& schema, void* out, const Node& node, const std::string& path) {
    if (node.kind != Node::Kind::kScalar) return Unexpected(schema, node, path);
    std::string complaint = schema.parse(node.text, out);
    if (!complaint.empty()) Error(node.at, path, std::move(complaint));
  }

  void FillList(const Schema& schema, void* out, const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::kScalar && schema.element->parse != nullptr) {
      schema.clear(out);  // `method: GET` for `method: [GET]`
      return FillLeaf(*schema.element, schema.add(out, {}), node, path);
    }
    if (node.kind != Node::Kind::kList) return Unexpected(schema, node, path);
    schema.clear(out);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      Fill(*schema.element, schema.add(out, {}), node.children[i], JoinIndex(path, i));
    }
  }

  void FillMap(const Schema& schema, void* out, const Node& node, const std::string& path) {
    if (node.kind != Node::Kind::kMap) return Unexpected(schema, node, path);
    schema.clear(out);
    for (const Node& child : node.children) {
      Fill(*schema.element, schema.add(out, child.key), child, JoinKey(path, child.key));
    }
  }

  void FillRecord(const Schema& schema, void* out, const Node& node, const std::string& path) {
    if (node.kind != Node::Kind::kMap) {
      if (schema.shorthand.empty()) return Unexpected(schema, node, path);
      return FillRow(*Find(schema, schema.shorthand), out, node, JoinKey(path, schema.shorthand));
    }
    for (const Node& child : node.children) {
      const std::string below = JoinKey(path, child.key);
      if (const Row* row = Find(schema, child.key)) {
        FillRow(*row, out, child, below);
      } else {
        Error(child.key_at, below, UnknownKey(schema, child.key));
      }
    }
  }

  void FillRow(const Row& row, void* record, const Node& node, const std::string& path) {
    void* value = row.at(record);
    if (row.inside == nullptr || node.kind != Node::Kind::kScalar) {
      return Fill(*row.schema, value, node, path);
    }
    reading_.origins.Add(path, node.key.empty() ? node.at : node.key_at);
    std::string complaint = row.schema->parse(node.text, value);
    if (complaint.empty() ? !row.inside(record) : complaint.contains(internal::kOutOfRange)) {
      complaint = Quote(node.text) + std::string(internal::kOutOfRange) + row.low() + " to " +
                  row.high() + " is allowed";
    }
    if (!complaint.empty()) Error(node.at, path, std::move(complaint));
  }

  // What was found is never repeated here: it may be the secret itself.
  void FillSecret(Secret<std::string>& out, const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::kScalar && node.text.empty()) {
      out = {};
      return;
    }
    if (node.kind == Node::Kind::kScalar && node.text.starts_with("${env:") &&
        node.text.ends_with('}') && node.text.size() > 7) {
      const std::string name = node.text.substr(6, node.text.size() - 7);
      auto value = reading_.surroundings.environment(name);
      if (!value) {
        return Error(node.at, path, "the environment variable " + Quote(name) + " is not set");
      }
      out = Secret(std::move(*value));
      return;
    }
    const Node* file = node.kind == Node::Kind::kMap ? node.Find("file") : nullptr;
    if (file == nullptr || node.children.size() != 1 || file->kind != Node::Kind::kScalar) {
      return Error(node.at, path, "a secret is not written here, use ${env:NAME} or {file: path}");
    }
    auto value = reading_.surroundings.file(file->text);
    if (!value) return Error(file->at, path, std::move(value.error().message));
    out = Secret(std::move(*value));
  }

  static const Row* Find(const Schema& schema, std::string_view name) {
    for (const Row& row : schema.rows) {
      if (row.name == name) return &row;
    }
    return nullptr;
  }

  // A key that belongs one level deeper, a typing error, or a key that is not ours.
  static std::string UnknownKey(const Schema& schema, std::string_view key) {
    std::vector<std::string_view> names;
    std::string all;
    std::string below;
    for (const Row& row : schema.rows) {
      names.push_back(row.name);
      all += (all.empty() ? "" : ", ") + std::string(row.name);
      if (row.schema->kind == Kind::kRecord && Find(*row.schema, key) != nullptr) {
        below += (below.empty() ? "" : ", ") + std::string(row.name);
      }
    }
    if (!below.empty()) return "unknown key here, it belongs into " + below;
    const std::string_view near = Nearest(key, names);
    if (!near.empty()) return "unknown key, did you mean " + std::string(near) + "?";
    return "unknown key, allowed are " + all;
  }

  Reading reading_;
};

Result<std::string> ReadSecretFile(const std::string& path) {
  auto text = ReadText(path, kMaxSecret);
  if (!text) {
    text.error().message = "the file " + Quote(path) + ": " + text.error().message;
    return text;
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty()) return Fail(Code::kInvalidArgument, "the file " + Quote(path) + " is empty");
  return text;
}

}  // namespace

const Surroundings& RealSurroundings() {
  static const Surroundings real{[](const std::string& name) -> std::optional<std::string> {
                                   const char* value =
                                       std::getenv(name.c_str());  // NOLINT: nobody here changes it
                                   if (value == nullptr) return std::nullopt;
                                   return value;
                                 },
                                 ReadSecretFile};
  return real;
}

void Fill(const Schema& schema, void* out, const Node& node, Reading reading) {
  Walk(reading).Fill(schema, out, node, {});
}

}  // namespace hale::config
