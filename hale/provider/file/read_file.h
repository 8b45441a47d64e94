#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hale/base/error.h"

namespace hale::provider::file {

/// What tells that a file may be another than before, without reading it.
struct Signature {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  ///< 0: there is none
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds
  std::int64_t changed = 0;   ///< nanoseconds; a new name or mode counts, too

  friend bool operator==(const Signature&, const Signature&) = default;
};

/// Of what the path leads to, through symbolic links; default when that is nothing. Thread-safe.
Signature SignatureOf(const std::string& path);

/// The whole of a regular file that is at most `most` bytes long. Never waits, as a pipe would make
/// it. kNotFound, kPermissionDenied, kInvalidArgument (no file), kResourceExhausted (too large),
/// kAborted (it changed meanwhile) or kUnavailable. Thread-safe.
Result<std::string> ReadFile(const std::string& path, std::size_t most);

}  // namespace hale::provider::file
