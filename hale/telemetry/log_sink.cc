#include "hale/telemetry/log_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hale::telemetry {
namespace {

int OpenToAppend(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

}  // namespace

FileSink::FileSink(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

FileSink::~FileSink() {
  if (!path_.empty()) close(descriptor_);
}

Result<std::unique_ptr<FileSink>> FileSink::Open(std::string path) {
  const int descriptor = path.empty() ? -1 : OpenToAppend(path);
  if (descriptor < 0) {
    const std::string why = path.empty() ? "the path is empty" : std::strerror(errno);
    return Fail(Code::kInvalidArgument, "cannot append to log file '" + path + "': " + why);
  }
  return std::unique_ptr<FileSink>(new FileSink(std::move(path), descriptor));
}

std::unique_ptr<FileSink> FileSink::ToDescriptor(int descriptor) {
  return std::unique_ptr<FileSink>(new FileSink({}, descriptor));
}

void FileSink::OpenAnew() noexcept {
  if (path_.empty()) return;
  const int fresh = OpenToAppend(path_);
  if (fresh < 0) return;
  close(descriptor_);
  descriptor_ = fresh;
  torn_ = false;
}

bool FileSink::Write(std::string_view lines) noexcept {
  if (reopen_.exchange(false, std::memory_order_relaxed)) OpenAnew();
  // What is left of a torn line becomes a line of its own.
  if (torn_ && write(descriptor_, "\n", 1) == 1) torn_ = false;
  while (!lines.empty()) {
    const ssize_t put = write(descriptor_, lines.data(), lines.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    const auto size = static_cast<std::size_t>(put);
    torn_ = lines[size - 1] != '\n';
    lines.remove_prefix(size);
  }
  return true;
}

}  // namespace hale::telemetry
