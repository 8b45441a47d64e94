#include "hale/provider/file/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hale::provider::file {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Code CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EACCES:
    case EPERM:
      return Code::kPermissionDenied;
    default:
      return Code::kUnavailable;
  }
}

std::unexpected<Error> Failed(const std::string& path, int error) {
  return Fail(CodeOf(error), path + ": " + std::generic_category().message(error));
}

Signature Of(const struct stat& status) {
  const auto nanoseconds = [](const timespec& at) {
    return at.tv_sec * 1'000'000'000 + at.tv_nsec;
  };
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim)};
}

}  // namespace

Signature SignatureOf(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? Of(status) : Signature();
}

Result<std::string> ReadFile(const std::string& path, std::size_t most) {
  // Non-blocking, or opening a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return Failed(path, errno);
  struct stat before{};
  if (::fstat(file.get(), &before) != 0) return Failed(path, errno);
  if (!S_ISREG(before.st_mode)) return Fail(Code::kInvalidArgument, path + ": not a file");

  // One byte more than there should be: files in /proc have no size, others grow meanwhile.
  std::string text(std::min(static_cast<std::size_t>(before.st_size), most) + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path, errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
    if (have == text.size() && have <= most) text.resize(std::min(have * 2, most + 1));
  }
  if (have > most) {
    return Fail(Code::kResourceExhausted,
                path + ": larger than the " + std::to_string(most) + " bytes that are read");
  }
  struct stat after{};
  if (::fstat(file.get(), &after) != 0) return Failed(path, errno);
  if (Of(before) != Of(after)) return Fail(Code::kAborted, path + ": changes while it is read");
  text.resize(have);
  return text;
}

}  // namespace hale::provider::file
