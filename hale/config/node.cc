#include "hale/config/node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "hale/base/quantity.h"
#include "hale/config/source.h"
#include "hale/config/text.h"

namespace hale::config {
namespace {

// Ends the parse where going on makes no sense; never leaves ParseTree.
struct Stop {};

// What the parser's own words leave in the dark.
std::string_view Hint(std::string_view complaint, std::string_view line) {
  const std::string_view indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (indentation.find('\t') != std::string_view::npos) return "; indent with spaces, not tabs";
  if (complaint == YAML::ErrorMsg::MAP_VALUE) return "; quote a value that contains ': '";
  if (complaint == YAML::ErrorMsg::END_OF_MAP_FLOW) return ": a '{' is not closed";
  if (complaint == YAML::ErrorMsg::END_OF_SEQ_FLOW) return ": a '[' is not closed";
  if (complaint == YAML::ErrorMsg::END_OF_MAP)
    return ": is the indentation that of its neighbours?";
  if (complaint == YAML::ErrorMsg::END_OF_SEQ)
    return ": is the indentation that of its neighbours?";
  if (complaint == YAML::ErrorMsg::EOF_IN_SCALAR) return ": a quote is not closed";
  return "";
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(Tree& tree, std::string_view file, Position end) : tree_(tree), file_(file), end_(end) {}

  // What is missed at the end is seen in the comment that was added there.
  Position At(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    return mark.line + 1 > end_.line ? end_ : Position{mark.line + 1, mark.column + 1};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    Complain(At(mark), "a second document begins here, one is allowed");
    throw Stop();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    Put(Node{.kind = Node::Kind::kNull, .at = At(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Complain(At(mark), "aliases (*name) are not allowed, write the value out");
    Put(Node{.kind = Node::Kind::kBroken, .at = At(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (FirstNotText(value)) {  // by an escape, "\\0"
      Complain(At(mark), "holds a control character: " + Quote(value));
      Put(Node{.kind = Node::Kind::kBroken, .at = At(mark)});
      return;
    }
    Put(Node{.kind = Node::Kind::kScalar, .quoted = tag == "!", .at = At(mark), .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

  int documents() const { return documents_; }

  void Complain(Position at, std::string message) {
    if (tree_.problems.size() >= kMaxProblems) return;
    tree_.problems.push_back(
        {Severity::kError, std::string(file_), at, Path(), std::move(message)});
  }

 private:
  struct Frame {
    Node node;
    std::optional<Node> key{};                    // a map's, while its value is awaited
    std::unordered_map<std::string, int> keys{};  // a map's, with the lines where they are
  };

  void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) Complain(At(mark), "anchors (&name) are not allowed, write the value out");
  }
  void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Complain(At(mark), "tags are not allowed, found " + Quote(tag));
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (frames_.size() >= kMaxDepth) {
      Complain(At(mark), "nested deeper than " + std::to_string(kMaxDepth) + " levels");
      throw Stop();
    }
    frames_.push_back(Frame{.node = Node{.kind = kind, .at = At(mark)}});
  }

  void Close() {
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    Put(std::move(node));
  }

  void Put(Node node) {
    if (frames_.empty()) {
      tree_.root = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::kList) {
      frame.node.children.push_back(std::move(node));
    } else if (!frame.key) {
      if (node.kind != Node::Kind::kScalar && node.kind != Node::Kind::kBroken) {
        Complain(node.at, "a key must be a word");
        node.kind = Node::Kind::kBroken;
      }
      frame.key = std::move(node);
    } else {
      PutValue(frame, std::move(node));
    }
  }

  void PutValue(Frame& frame, Node node) {
    const Node key = *std::exchange(frame.key, std::nullopt);
    if (key.kind == Node::Kind::kBroken) return;
    const auto [first, fresh] = frame.keys.try_emplace(key.text, key.at.line);
    if (!fresh) {
      frame.key = key;  // so that the path names it
      Complain(key.at, "duplicate key, the first is in line " + std::to_string(first->second));
      frame.key.reset();
      return;
    }
    node.key = key.text;
    node.key_at = key.at;
    frame.node.children.push_back(std::move(node));
  }

  std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.key) {
        path = JoinKey(path, frame.key->text);
      } else if (frame.node.kind == Node::Kind::kList) {
        path = JoinIndex(path, frame.node.children.size());
      }
    }
    return path;
  }

  Tree& tree_;
  std::string_view file_;
  Position end_;
  std::vector<Frame> frames_;
  int documents_ = 0;
};

// The line that a position is in, without its end.
std::string_view LineAt(std::string_view text, Position at) {
  for (int line = 1; line < at.line; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

std::optional<Problem> RefuseBytes(std::string_view text, std::string_view file) {
  const auto bad = FirstNotText(text);
  if (!bad) return std::nullopt;
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(text[*bad]);
  std::string message = "this is not text: byte 0x";
  message += kHex[byte >> 4U];
  message += kHex[byte & 15U];
  message += ", UTF-8 without control characters is allowed";
  return Problem{Severity::kError, std::string(file), PositionOf(text, *bad), "", message};
}

}  // namespace

const Node* Node::Find(std::string_view name) const {
  for (const Node& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

Tree ParseTree(std::string_view text, std::string_view file) {
  Tree tree;
  tree.root.kind = Node::Kind::kBroken;
  if (text.size() > kMaxDocument) {
    Builder(tree, file, {})
        .Complain({}, "larger than " + Print(Size{kMaxDocument}) + ", the most that is read");
    return tree;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  if (auto problem = RefuseBytes(text, file)) {
    tree.problems.push_back(std::move(*problem));
    return tree;
  }
  Builder builder(tree, file, PositionOf(text, text.size()));
  try {
    // The comment at the end is for a quote that is open there: the scanner overlooks it when the
    // text ends with its line.
    std::istringstream stream{std::string(text) + "\n#"};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    const bool nothing = tree.root.kind == Node::Kind::kNull || builder.documents() == 0;
    if (nothing && tree.problems.empty()) builder.Complain({1, 1}, "the document is empty");
    if (nothing) tree.root.kind = Node::Kind::kBroken;
  } catch (const Stop&) {
    // It has complained.
  } catch (const YAML::Exception& error) {
    const Position at = builder.At(error.mark);
    const std::string_view hint = Hint(error.msg, LineAt(text, at));
    // It may end with one byte out of the middle of a character.
    const std::string complaint =
        error.msg.substr(0, FirstNotText(error.msg).value_or(error.msg.size()));
    builder.Complain(at, "not YAML: " + complaint + std::string(hint));
  }
  return tree;
}

}  // namespace hale::config
