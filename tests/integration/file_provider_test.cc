#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "hale/cluster/watcher.h"
#include "hale/config/reader.h"
#include "hale/provider/file/file_registry.h"
#include "hale/provider/file/file_source.h"
#include "hale/provider/file/read_file.h"
#include "tests/conformance/real_time.h"
#include "tests/conformance/temporary_directory.h"

namespace hale::test {
namespace {

namespace fs = std::filesystem;
using cluster::Freshness;
using provider::file::FileRegistry;
using provider::file::FileSource;
using provider::file::FileWatch;
using provider::file::ReadFile;

std::string List(int count, int port = 1) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "- 10.0.0.1:" + std::to_string(port + i) + "\n";
  return text;
}

/// A watcher over a file registry with the real delays, on a real loop.
class FileProviderTest : public testing::Test {
 protected:
  ~FileProviderTest() override {
    watcher_.reset();
    time_.RunFor(5ms);
  }
  void Start(const std::string& path) {
    watcher_.emplace(cluster::Watcher::Parts{
        .executor = time_.loop(),
        .registry = std::make_shared<FileRegistry>(time_.loop(), files_, path),
        .random = random_,
        .service = "orders",
        .options = {.confirm_after = 100ms}});
  }
  void StartWith(std::string_view text) {
    WriteInPlace(path_, text);
    Start(path_);
    ASSERT_TRUE(Becomes(Freshness::kLive));
  }
  std::size_t size() const { return watcher_->status().instances; }
  bool HasSize(std::size_t wanted) {
    return time_.RunUntil([&] { return size() == wanted; });
  }
  bool Becomes(Freshness wanted) {
    return time_.RunUntil([&] { return watcher_->status().freshness == wanted; });
  }
  bool Has(const std::string& address) {
    return watcher_->current()->instances.Find(address) != nullptr;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "orders.yaml";
  RealTime time_;
  SeededRandom random_{1};
  // It is told of each change: looking for itself would hide that it was not.
  FileWatch files_{{.poll = 1h}};
  std::optional<cluster::Watcher> watcher_;
};

TEST_F(FileProviderTest, SeesAFileThatIsReplacedByARename) {
  StartWith(List(3));
  for (int count = 4; count <= 8; ++count) {
    ReplaceFile(path_, List(count));
    ASSERT_TRUE(HasSize(static_cast<std::size_t>(count)));
  }
}

TEST_F(FileProviderTest, SeesAFileThatIsWrittenInPlace) {
  StartWith(List(3));
  WriteInPlace(path_, List(5));
  EXPECT_TRUE(HasSize(5));
}

TEST_F(FileProviderTest, WaitsForAWriterThatStopsHalfWay) {
  StartWith(List(10));
  std::ofstream writer(path_, std::ios::trunc);
  writer << List(8) << std::flush;  // well-formed so far, and not all of it
  time_.RunFor(400ms);
  EXPECT_EQ(size(), 10U);
  writer << List(4, 100);
  writer.close();
  EXPECT_TRUE(HasSize(12));
  EXPECT_EQ(watcher_->current()->version, 2U);
}

TEST_F(FileProviderTest, TakesNoHalfWrittenItemForAWrongFile) {
  StartWith(List(4));
  WriteInPlace(path_, "- 10.0.0.1:1\n- {address: \"10.0");  // and closed: a crash, or more to come
  time_.RunFor(300ms);
  WriteInPlace(path_, List(5));
  EXPECT_TRUE(HasSize(5));
  EXPECT_EQ(watcher_->status().failures, 0U);
}

TEST_F(FileProviderTest, AnEmptiedFileIsNoEmptySet) {
  StartWith(List(4));
  WriteInPlace(path_, "");
  EXPECT_TRUE(Becomes(Freshness::kStale));
  EXPECT_EQ(size(), 4U);
}

TEST_F(FileProviderTest, KeepsTheLastGoodSetWhenTheFileIsDeletedAndGoesOnWhenItIsBack) {
  StartWith(List(4));
  fs::remove(path_);
  EXPECT_TRUE(Becomes(Freshness::kStale));
  EXPECT_EQ(size(), 4U);
  EXPECT_NE(watcher_->status().error.find(path_), std::string::npos);
  time_.RunFor(500ms);  // the watcher has asked again by now, and the registry waits
  const TimePoint before = RealClock().Now();
  WriteInPlace(path_, List(5));
  EXPECT_TRUE(HasSize(5));
  EXPECT_LT(RealClock().Now() - before, 2s);
  EXPECT_EQ(watcher_->status().freshness, Freshness::kLive);
}

TEST_F(FileProviderTest, DoesNotCallAFileGoneThatAnEditorPutsBack) {
  StartWith(List(4));
  fs::rename(path_, path_ + "~");
  time_.RunFor(200ms);
  WriteInPlace(path_, List(5));
  EXPECT_TRUE(HasSize(5));
  EXPECT_EQ(watcher_->status().failures, 0U);
}

TEST_F(FileProviderTest, FollowsTheSwapOfADirectoryLinkAsKubernetesDoesIt) {
  for (const char* version : {"..1", "..2"}) fs::create_directory(directory_ / version);
  WriteInPlace(directory_ / "..1/orders.yaml", List(4));
  WriteInPlace(directory_ / "..2/orders.yaml", List(6));
  fs::create_directory_symlink("..1", directory_ / "..data");
  fs::create_symlink("..data/orders.yaml", path_);
  Start(path_);
  ASSERT_TRUE(HasSize(4));
  fs::create_directory_symlink("..2", directory_ / "..data_tmp");
  fs::rename(directory_ / "..data_tmp", directory_ / "..data");
  const TimePoint swapped = RealClock().Now();
  EXPECT_TRUE(HasSize(6));
  EXPECT_LT(RealClock().Now() - swapped, 2s);  // told, not found by looking every 5 s
}

TEST_F(FileProviderTest, SeesAChangeBehindALink) {
  fs::create_directory(directory_ / "elsewhere");
  WriteInPlace(directory_ / "elsewhere/list", List(4));
  fs::create_symlink("elsewhere/list", path_);
  Start(path_);
  ASSERT_TRUE(HasSize(4));
  const TimePoint changed = RealClock().Now();
  WriteInPlace(directory_ / "elsewhere/list", List(5));
  EXPECT_TRUE(HasSize(5));
  EXPECT_LT(RealClock().Now() - changed, 2s);
}

TEST_F(FileProviderTest, FindsAFileWhoseDirectoryComesLater) {
  Start(directory_ / "later/orders.yaml");
  time_.RunFor(1s);
  EXPECT_EQ(watcher_->status().freshness, Freshness::kNone);
  fs::create_directory(directory_ / "later");
  WriteInPlace(directory_ / "later/orders.yaml", List(4));
  EXPECT_TRUE(HasSize(4));
  WriteInPlace(directory_ / "later/orders.yaml", List(5));
  EXPECT_TRUE(HasSize(5));
}

TEST_F(FileProviderTest, FollowsAFileWhoseDirectoryIsReplaced) {
  fs::create_directory(directory_ / "conf");
  WriteInPlace(directory_ / "conf/orders.yaml", List(4));
  Start(directory_ / "conf/orders.yaml");
  ASSERT_TRUE(HasSize(4));
  fs::create_directory(directory_ / "new");
  WriteInPlace(directory_ / "new/orders.yaml", List(5));
  fs::rename(directory_ / "conf", directory_ / "old");
  fs::rename(directory_ / "new", directory_ / "conf");
  EXPECT_TRUE(HasSize(5));
  WriteInPlace(directory_ / "conf/orders.yaml", List(6));
  EXPECT_TRUE(HasSize(6));
}

TEST_F(FileProviderTest, BadDataChangesNothingAndTheNextGoodOneApplies) {
  StartWith(List(4));
  const std::string binary = "\x7f\x45LF\x01\x02";
  const std::string bad[] = {
      "{services: {}}",          "- [",         binary,        "a: 1\na: 2\n",
      std::string(2 << 20, '-'), "&a [*a, *a]", "- nonsense\n"};
  int good = 4;
  for (const std::string& text : bad) {
    ReplaceFile(path_, text);
    EXPECT_TRUE(Becomes(Freshness::kStale)) << text.substr(0, 20);
    EXPECT_FALSE(watcher_->status().error.empty());
    EXPECT_EQ(size(), static_cast<std::size_t>(good));
    ReplaceFile(path_, List(++good));
    EXPECT_TRUE(HasSize(static_cast<std::size_t>(good)));
  }
}

TEST_F(FileProviderTest, LeavesOutOneWrongInstanceOfAHundred) {
  StartWith(List(99) + "- 10.0.0.1:70000\n");
  EXPECT_EQ(size(), 99U);
  EXPECT_EQ(watcher_->status().malformed, 1U);
}

TEST_F(FileProviderTest, CarriesTenThousandInstancesAndTheChangeOfOne) {
  StartWith(List(10'000));
  EXPECT_EQ(size(), 10'000U);
  ReplaceFile(path_, List(9'999) + "- 10.9.9.9:1\n");
  EXPECT_TRUE(time_.RunUntil([&] { return Has("10.9.9.9:1"); }));
  EXPECT_EQ(size(), 10'000U);
}

TEST_F(FileProviderTest, HoldsAListThatLostMoreThanHalfUntilItIsReadAgain) {
  StartWith(List(10));
  ReplaceFile(path_, List(3));
  EXPECT_TRUE(HasSize(3));
  EXPECT_EQ(watcher_->status().held, 1U);
}

TEST_F(FileProviderTest, IsNotHeldUpByAPipe) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  Start(path_);
  ASSERT_TRUE(time_.RunUntil([&] { return watcher_->status().failures > 0; }));
  ASSERT_NE(watcher_->status().error.find("not a file"), std::string::npos);
  fs::remove(path_);
  WriteInPlace(path_, List(4));
  EXPECT_TRUE(HasSize(4));
}

TEST_F(FileProviderTest, MayBeGivenUpAtAnyMoment) {
  for (int i = 0; i < 50; ++i) {
    WriteInPlace(path_, List(1000 + i));
    Start(path_);
    time_.RunFor(i * 100us);
    watcher_.reset();
    time_.RunFor(Duration::zero());
  }
}

TEST(FileSourceTest, TellsOfABrokenDocumentOnlyWhenItStaysBroken) {
  TemporaryDirectory directory;
  const std::string path = directory / "hale.yaml";
  WriteInPlace(path, "a: 1");
  FileWatch files;
  FileSource source(files, path);
  std::atomic<int> broken = 0;
  std::atomic<int> whole = 0;
  const auto subscription = source.Watch([&] {
    const auto text = source.Read();
    const bool good = text && !HasErrors(config::ParseTree(*text, path).problems);
    ++(good ? whole : broken);
  });
  std::this_thread::sleep_for(200ms);
  WriteInPlace(path, "a: {b: ");
  std::this_thread::sleep_for(200ms);
  WriteInPlace(path, "a: {b: 2}");
  std::this_thread::sleep_for(1200ms);
  EXPECT_EQ(broken, 0);
  EXPECT_GE(whole, 1);
  WriteInPlace(path, "a: {b: ");
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(broken, 1);
}

TEST(FileSourceTest, RefreshTellsThoughNothingChanged) {
  TemporaryDirectory directory;
  const std::string path = directory / "hale.yaml";
  WriteInPlace(path, "a: 1");
  FileWatch files;
  FileSource source(files, path);
  std::atomic<int> told = 0;
  const auto subscription = source.Watch([&] { ++told; });
  std::this_thread::sleep_for(200ms);
  const int before = told;
  files.Refresh();
  for (int i = 0; i < 400 && told == before; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_GT(told, before);
}

TEST(FileSourceTest, IsNotWokenByNeighboursThatAreBusy) {
  TemporaryDirectory directory;
  const std::string path = directory / "hale.yaml";
  WriteInPlace(path, "a: 1");
  FileWatch files;
  FileSource source(files, path);
  std::atomic<int> told = 0;
  const auto subscription = source.Watch([&] { ++told; });
  std::this_thread::sleep_for(200ms);
  const int before = told;
  for (int i = 0; i < 200; ++i) WriteInPlace(directory / "access.log", std::to_string(i));
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(told, before);
}

TEST(ReadFileTest, SaysWhatIsWrong) {
  TemporaryDirectory directory;
  EXPECT_EQ(ReadFile(directory / "none", 10).error().code, Code::kNotFound);
  EXPECT_EQ(ReadFile(directory.path().string(), 10).error().code, Code::kInvalidArgument);
  WriteInPlace(directory / "file", "0123456789");
  EXPECT_EQ(ReadFile(directory / "file", 10).value(), "0123456789");
  EXPECT_EQ(ReadFile(directory / "file", 9).error().code, Code::kResourceExhausted);
  WriteInPlace(directory / "empty", "");
  EXPECT_EQ(ReadFile(directory / "empty", 9).value(), "");
}

TEST(ReadFileTest, ReadsAFileThatHasNoSizeUpToTheBound) {
  EXPECT_GT(ReadFile("/proc/self/status", 1 << 20).value().size(), 100U);
  EXPECT_EQ(ReadFile("/proc/self/status", 50).error().code, Code::kResourceExhausted);
  EXPECT_FALSE(ReadFile("/dev/zero", 1000));
}

}  // namespace
}  // namespace hale::test
