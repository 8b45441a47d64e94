#include "hale/config/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace hale::config {
namespace {

constexpr Size kLimit{1024};

class FileTest : public ::testing::Test {
 protected:
  ~FileTest() override { std::filesystem::remove(path_); }
  void Write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("hale_file_test_" + std::to_string(::getpid())))
          .string();
};

TEST_F(FileTest, ReadsAWholeFile) {
  Write(std::string(kLimit.bytes, 'x'));
  EXPECT_EQ(ReadText(path_, kLimit)->size(), kLimit.bytes);
}

TEST_F(FileTest, RefusesWhatIsLarger) {
  Write(std::string(kLimit.bytes + 1, 'x'));
  EXPECT_EQ(ReadText(path_, kLimit).error().message, "larger than 1KiB, the most that is read");
}

TEST_F(FileTest, RefusesAHugeFileWithoutReadingIt) {
  Write("x");
  std::filesystem::resize_file(path_, 1ULL << 40);  // a hole: reading it would take minutes
  EXPECT_EQ(ReadText(path_, kLimit).error().code, Code::kOutOfRange);
}

TEST_F(FileTest, RefusesAnEndlessFile) {
  EXPECT_EQ(ReadText("/dev/zero", kLimit).error().code, Code::kOutOfRange);
}

TEST_F(FileTest, SaysWhyThereIsNone) {
  EXPECT_EQ(ReadText(path_, kLimit).error().message, "cannot be read: No such file or directory");
  EXPECT_EQ(ReadText("/", kLimit).error().message, "cannot be read: Is a directory");
}

}  // namespace
}  // namespace hale::config
