#include "hale/cluster/static_registry.h"

#include "hale/base/sim_executor.h"
#include "tests/conformance/registry_suite.h"

namespace hale::test {
namespace {

class StaticBench {
 public:
  Executor& executor() { return executor_; }
  std::shared_ptr<cluster::Registry> registry() { return registry_; }
  void Set(std::vector<cluster::Instance> all) { registry_->Replace(std::move(all)); }
  bool RunUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i) executor_.RunFor(1s);
    return done();
  }
  void BeQuiet() { executor_.RunFor(1min); }

 private:
  SimExecutor executor_;
  std::shared_ptr<cluster::StaticRegistry> registry_ = std::make_shared<cluster::StaticRegistry>(
      executor_, std::vector<cluster::Instance>{{.address = "first:1"}});
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Static, RegistrySuite, StaticBench);

}  // namespace hale::test
