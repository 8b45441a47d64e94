#include "tests/conformance/scripted_registry.h"

#include "hale/base/sim_executor.h"
#include "tests/conformance/registry_suite.h"

namespace hale::test {
namespace {

class ScriptedBench {
 public:
  ScriptedBench() { Set({{.address = "first:1"}}); }
  ~ScriptedBench() { executor_.RunFor(1s); }
  Executor& executor() { return executor_; }
  std::shared_ptr<cluster::Registry> registry() { return registry_; }
  void Set(std::vector<cluster::Instance> all) { registry_->Set(std::move(all)); }
  bool RunUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 10'000 && !done(); ++i) executor_.RunFor(10ms);
    return done();
  }
  void BeQuiet() { executor_.RunFor(1min); }
  void Break() { registry_->Break("down"); }
  void Mend() { registry_->Mend(); }

 private:
  SimExecutor executor_;
  std::shared_ptr<ScriptedRegistry> registry_ = std::make_shared<ScriptedRegistry>(executor_);
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Scripted, RegistrySuite, ScriptedBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Scripted, FailingRegistrySuite, ScriptedBench);

}  // namespace hale::test
