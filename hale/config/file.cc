#include "hale/config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace hale::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> Cannot(int number) {
  return Fail(number == ENOENT ? Code::kNotFound : Code::kUnavailable,
              "cannot be read: " + std::generic_category().message(number));
}

}  // namespace

Result<std::string> ReadText(const std::string& path, Size most) {
  const Descriptor file(path);
  if (file.get() < 0) return Cannot(errno);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return Cannot(errno);
  if (S_ISDIR(about.st_mode)) return Cannot(EISDIR);
  const auto too_large = [&] {
    return Fail(Code::kOutOfRange, "larger than " + Print(most) + ", the most that is read");
  };
  if (S_ISREG(about.st_mode) && static_cast<std::uint64_t>(about.st_size) > most.bytes) {
    return too_large();
  }
  std::string text(most.bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Cannot(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most.bytes) return too_large();
  text.resize(size);
  return text;
}

}  // namespace hale::config
