#include "app/demo_folder.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace hale::app {

Result<DemoFolder> DemoFolder::Make() {
  const char* set = std::getenv("TMPDIR");
  std::string path =
      std::string(set != nullptr && *set != '\0' ? set : "/tmp") + "/hale-demo-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return Fail(Code::kUnavailable, "cannot make the folder " + path +
                                        " ($TMPDIR says where): " + std::strerror(errno));
  }
  return DemoFolder(std::move(path));
}

DemoFolder::~DemoFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<void> DemoFolder::Write(std::string_view name, std::string_view text) const {
  const std::string fresh = File(name) + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(fresh.c_str(), File(name).c_str()) != 0) {
    return Fail(Code::kUnavailable, File(name) + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace hale::app
