#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hale/base/error.h"
#include "hale/cluster/instance.h"

namespace hale::provider::file {

/// What a file of instances holds.
struct InstanceList {
  std::vector<cluster::Instance> instances;
  std::vector<std::string> malformed;  ///< what is wrong with those left out, with file and place
};

/// Reads a YAML or JSON list, each item as in the document's `static`:
/// `- 10.0.0.1:80` or `- {address: "10.0.0.1:80", zone: a, weight: 2, metadata: {version: "3"}}`.
/// A wrong item is left out and named. An error when no item is right, or when it is no list at
/// all, as half a file is not. An empty list is written `[]`: an empty file is an error, too. Pure.
Result<InstanceList> ParseInstanceList(std::string_view text, const std::string& file);

}  // namespace hale::provider::file
