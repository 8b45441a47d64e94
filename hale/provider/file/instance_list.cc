#include "hale/provider/file/instance_list.h"

#include <utility>

#include "hale/config/reader.h"

namespace hale::provider::file {
namespace {

std::string First(const config::Problems& problems) {
  for (const config::Problem& problem : problems) {
    if (problem.severity == config::Severity::kError) return Print(problem);
  }
  return {};
}

}  // namespace

Result<InstanceList> ParseInstanceList(std::string_view text, const std::string& file) {
  const config::Tree tree = config::ParseTree(text, file);
  if (config::HasErrors(tree.problems)) {
    return Fail(Code::kInvalidArgument, First(tree.problems));
  }
  if (tree.root.kind != config::Node::Kind::kList) {
    return Fail(Code::kInvalidArgument, file + ": not a list of instances");
  }
  InstanceList list;
  list.instances.reserve(tree.root.children.size());
  for (const config::Node& node : tree.root.children) {
    auto item = config::ReadNode<cluster::Instance>(node, file);
    if (!item.ok()) {
      list.malformed.push_back(First(item.problems));
    } else if (const auto checked = Check(item.value); !checked) {
      list.malformed.push_back(file + ":" + std::to_string(node.at.line) + ": " +
                               checked.error().message);
    } else {
      list.instances.push_back(std::move(item.value));
    }
  }
  if (list.instances.empty() && !list.malformed.empty()) {
    return Fail(Code::kInvalidArgument, list.malformed.front());
  }
  return list;
}

}  // namespace hale::provider::file
