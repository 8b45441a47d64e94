#pragma once

#include <string>

#include "hale/base/error.h"

namespace hale::config {

/// The text of a file, or of standard input for `-`. Reads no more than kMaxDocument and one byte,
/// so that a huge or endless file is refused in no time; the message names the cause, not the file.
Result<std::string> ReadDocumentFile(const std::string& path);

}  // namespace hale::config
