#pragma once

#include <string>

#include "hale/config/reader.h"
#include "hale/host/document.h"

namespace hale::app {

/// What `hale check` finds in one file.
struct CheckReport {
  std::string file;
  config::Parsed<host::Document> parsed;

  int exit_code() const;  ///< 0 valid, 1 with warnings, 2 with errors
};

/// Reads at most config::kMaxDocument of the file, or of standard input when it is `-`.
CheckReport CheckFile(const std::string& file);

/// The problems one a line, then one line that says what the document holds or how many problems
/// there are. Pure.
std::string Describe(const CheckReport& report);
/// `{"file":..., "valid":..., "problems":[...], "document":{...}}`: the document with every
/// default, secrets as `***`, when it is valid. Pure.
std::string DescribeAsJson(const CheckReport& report);

}  // namespace hale::app
