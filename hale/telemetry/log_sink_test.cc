#include "hale/telemetry/log_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace hale::telemetry {
namespace {

class FileSinkTest : public testing::Test {
 protected:
  FileSinkTest() { std::remove(path_.c_str()); }
  ~FileSinkTest() override {
    std::remove(path_.c_str());
    std::remove(rotated_.c_str());
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path_ = testing::TempDir() + "hale_log_sink_" + std::to_string(getpid());
  const std::string rotated_ = path_ + ".1";
};

TEST_F(FileSinkTest, AppendsToWhatIsThere) {
  std::ofstream(path_) << "old\n";
  auto sink = FileSink::Open(path_);
  ASSERT_TRUE(sink);
  EXPECT_TRUE((*sink)->Write("new\n"));
  EXPECT_EQ(Read(path_), "old\nnew\n");
}

TEST_F(FileSinkTest, AfterARotationANewFileIsBegun) {
  auto sink = FileSink::Open(path_);
  ASSERT_TRUE(sink);
  (*sink)->Write("1\n");
  std::rename(path_.c_str(), rotated_.c_str());
  (*sink)->Write("2\n");
  (*sink)->Reopen();
  (*sink)->Write("3\n");
  EXPECT_EQ(Read(rotated_), "1\n2\n");
  EXPECT_EQ(Read(path_), "3\n");
}

TEST_F(FileSinkTest, AFileThatCannotBeReopenedIsKept) {
  const std::string folder = path_ + ".d";
  mkdir(folder.c_str(), 0700);
  auto sink = FileSink::Open(folder + "/log");
  ASSERT_TRUE(sink);
  std::rename(folder.c_str(), rotated_.c_str());
  (*sink)->Reopen();
  EXPECT_TRUE((*sink)->Write("1\n"));
  EXPECT_EQ(Read(rotated_ + "/log"), "1\n");
  std::remove((rotated_ + "/log").c_str());
}

TEST_F(FileSinkTest, APathThatCannotBeOpenedSaysWhich) {
  const auto sink = FileSink::Open("/no/such/folder/log");
  ASSERT_FALSE(sink);
  EXPECT_NE(sink.error().message.find("/no/such/folder/log"), std::string::npos);
}

TEST_F(FileSinkTest, AFullDiskIsSaid) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_FALSE(FileSink::ToDescriptor(full)->Write("1\n"));
  close(full);
}

TEST_F(FileSinkTest, ADescriptorStaysItsOwners) {
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  FileSink::ToDescriptor(file)->Reopen();
  EXPECT_EQ(write(file, "x", 1), 1);
  close(file);
}

// Takes the writing end of a pipe that holds 4 KiB and then blocks no more but fails.
TEST_F(FileSinkTest, ATornLineIsEndedBeforeTheNext) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  ASSERT_EQ(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
  auto sink = FileSink::ToDescriptor(ends[1]);
  EXPECT_FALSE(sink->Write(std::string(5000, 'a') + "\n"));
  std::string got(4096, '?');
  ASSERT_EQ(read(ends[0], got.data(), got.size()), 4096);
  EXPECT_TRUE(sink->Write("next\n"));
  ASSERT_EQ(read(ends[0], got.data(), got.size()), 6);
  EXPECT_EQ(got.substr(0, 6), "\nnext\n");
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace hale::telemetry
