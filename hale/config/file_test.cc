#include "hale/config/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hale/config/source.h"

namespace hale::config {
namespace {

class FileTest : public ::testing::Test {
 protected:
  ~FileTest() override { std::filesystem::remove(path_); }
  void Write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("hale_file_test_" + std::to_string(::getpid())))
          .string();
};

TEST_F(FileTest, ReadsAWholeFile) {
  Write(std::string(kMaxDocument, 'x'));
  EXPECT_EQ(ReadDocumentFile(path_)->size(), kMaxDocument);
}

TEST_F(FileTest, RefusesWhatIsLarger) {
  Write(std::string(kMaxDocument + 1, 'x'));
  EXPECT_EQ(ReadDocumentFile(path_).error().message, "larger than 1MiB, the most that is read");
}

TEST_F(FileTest, RefusesAHugeFileWithoutReadingIt) {
  Write("x");
  std::filesystem::resize_file(path_, 1ULL << 40);  // a hole: reading it would take minutes
  EXPECT_EQ(ReadDocumentFile(path_).error().code, Code::kOutOfRange);
}

TEST_F(FileTest, RefusesAnEndlessFile) {
  EXPECT_EQ(ReadDocumentFile("/dev/zero").error().code, Code::kOutOfRange);
}

TEST_F(FileTest, SaysWhyThereIsNone) {
  EXPECT_EQ(ReadDocumentFile(path_).error().message, "cannot be read: No such file or directory");
  EXPECT_EQ(ReadDocumentFile("/").error().message, "cannot be read: Is a directory");
}

}  // namespace
}  // namespace hale::config
