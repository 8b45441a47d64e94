#pragma once

#include <string>
#include <string_view>

#include "hale/base/error.h"

namespace hale::app {

/// A folder that only this user can read, gone with all that is in it when I am. Not thread-safe.
class DemoFolder final {
 public:
  /// Below $TMPDIR, or /tmp.
  static Result<DemoFolder> Make();
  DemoFolder(DemoFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  DemoFolder& operator=(DemoFolder&&) = delete;
  ~DemoFolder();

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// As an editor saves: who reads it sees the old text or the new one, nothing between.
  Result<void> Write(std::string_view name, std::string_view text) const;

 private:
  explicit DemoFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace hale::app
