#pragma once

#include <string>
#include <string_view>

#include "hale/host/document.h"

namespace hale::host {

/// For tests: what is said of a document, a line a problem, without the file and the places, which
/// are the Findings' matter. Pure.
inline std::string SaidOf(std::string_view document) {
  auto parsed = ParseDocument(document, "f");
  std::string all;
  for (auto& problem : parsed.problems) {
    problem.file.clear();
    problem.at = {};
    all += Print(problem).substr(1) + "\n";
  }
  return all;
}

}  // namespace hale::host
