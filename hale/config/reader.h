#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hale/base/error.h"
#include "hale/config/node.h"
#include "hale/config/origins.h"
#include "hale/config/problem.h"
#include "hale/config/schema.h"
#include "hale/config/schema_of.h"

namespace hale::config {

/// Where secrets come from; exchanged in tests.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<Result<std::string>(const std::string& path)> file;
};

/// The process's environment variables and files (at most 64 KiB; one line feed at the end is cut).
/// Thread-safe as long as nobody changes the environment.
const Surroundings& RealSurroundings();

/// A value out of a document. With errors among the problems `value` is no more than a part of it.
template <class T>
struct Parsed {
  T value{};
  Origins origins{};
  Problems problems{};

  bool ok() const { return !HasErrors(problems); }
};

/// What a reading leaves behind, and where it gets its secrets.
struct Reading {
  Origins& origins;
  Problems& problems;
  const Surroundings& surroundings;
};

/// Fills `out`, a value of the schema's type that holds the defaults, from a node. What is wrong is
/// added to the problems, at most kMaxProblems. Pure but for the surroundings.
void Fill(const Schema& schema, void* out, const Node& node, Reading reading);

/// A value out of a part of a document, such as an application's own settings.
template <class T>
Parsed<T> ReadNode(const Node& node, std::string file,
                   const Surroundings& surroundings = RealSurroundings()) {
  Parsed<T> parsed{.origins = Origins(std::move(file))};
  Fill(kSchema<T>, &parsed.value, node, {parsed.origins, parsed.problems, surroundings});
  return parsed;
}

/// A value out of a whole document: every key that the document has is in T's schema, every value
/// is of its type and in its range, or there is a problem for each that is not.
template <class T>
Parsed<T> Read(std::string_view text, const std::string& file,
               const Surroundings& surroundings = RealSurroundings()) {
  Tree tree = ParseTree(text, file);
  Parsed<T> parsed = ReadNode<T>(tree.root, file, surroundings);
  parsed.problems.insert(parsed.problems.begin(), tree.problems.begin(), tree.problems.end());
  parsed.problems = Tidy(std::move(parsed.problems));
  return parsed;
}

}  // namespace hale::config
