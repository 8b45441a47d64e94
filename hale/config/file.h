#pragma once

#include <string>

#include "hale/base/error.h"
#include "hale/base/quantity.h"

namespace hale::config {

/// The text of a file, a pipe, or of standard input for `-`. Reads no more than `most` and one
/// byte, so that what is huge or endless is refused in no time. The message names the cause, not
/// the file.
Result<std::string> ReadText(const std::string& path, Size most);

}  // namespace hale::config
