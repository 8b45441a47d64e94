#include "hale/provider/file/file_registry.h"

#include "tests/conformance/real_time.h"
#include "tests/conformance/registry_suite.h"
#include "tests/conformance/temporary_directory.h"

namespace hale::test {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string Written(const std::vector<cluster::Instance>& all) {
  std::string text;
  for (const auto& instance : all) {
    text += "- {address: " + Quoted(instance.address) + ", zone: " + Quoted(instance.zone) +
            ", weight: " + std::to_string(instance.weight) + ", metadata: {";
    for (const auto& [key, value] : instance.metadata) text += key + ": " + Quoted(value) + ",";
    text += "}}\n";
  }
  return all.empty() ? "[]" : text;
}

class FileBench {
 public:
  FileBench() { Set({{.address = "first:1"}}); }
  ~FileBench() {
    registry_.reset();
    time_.RunFor(5ms);
  }
  Executor& executor() { return time_.loop(); }
  std::shared_ptr<cluster::Registry> registry() {
    if (!registry_) {
      registry_ = std::make_shared<provider::file::FileRegistry>(time_.loop(), watch_, path_);
    }
    return registry_;
  }
  void Set(const std::vector<cluster::Instance>& all) { ReplaceFile(path_, Written(all)); }
  bool RunUntil(const std::function<bool()>& done) { return time_.RunUntil(done); }
  void BeQuiet() { time_.RunFor(200ms); }
  void Break() { std::filesystem::rename(path_, path_ + ".away"); }
  void Mend() { std::filesystem::rename(path_ + ".away", path_); }

 private:
  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "orders.yaml";
  RealTime time_;
  provider::file::FileWatch watch_{{.settling = {.gone = 100ms, .again = 20ms}}};
  std::shared_ptr<cluster::Registry> registry_;
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(File, RegistrySuite, FileBench);
INSTANTIATE_TYPED_TEST_SUITE_P(File, FailingRegistrySuite, FileBench);

}  // namespace hale::test
