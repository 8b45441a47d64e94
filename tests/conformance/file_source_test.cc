#include "hale/provider/file/file_source.h"

#include "tests/conformance/source_suite.h"
#include "tests/conformance/temporary_directory.h"

namespace hale::test {
namespace {

class FileBench {
 public:
  FileBench() { Write("first: 1"); }
  config::Source& source() { return source_; }
  void Write(std::string_view text) { ReplaceFile(path_, text); }
  void Remove() { std::filesystem::remove(path_); }

 private:
  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "hale.yaml";
  provider::file::FileWatch watch_;
  provider::file::FileSource source_{watch_, path_};
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(File, SourceSuite, FileBench);

}  // namespace hale::test
