// The same pipeline around a client that calls back: here the first callback never comes.

#include <iostream>

#include "hale/base/sim_executor.h"
#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// Stands for a client library with callbacks, which may come on any thread.
class Directory {
 public:
  explicit Directory(hale::Executor& executor) : executor_(executor) {}

  template <class Callback>
  void Find(int id, Callback callback) {
    if (++asked_ == 1) return;  // lost
    executor_.At(executor_.Now() + 20ms, [=] { callback("name of " + std::to_string(id)); });
  }

 private:
  hale::Executor& executor_;
  int asked_ = 0;
};

}  // namespace

int main() {
  hale::SimExecutor executor;  // virtual time; in a service, its event loop
  Directory directory(executor);
  hale::Guard guard{{.deadline = 2s, .per_try = 500ms, .idempotent = true},
                    {.clock = executor.clock()}};
  const hale::TimePoint start = executor.Now();
  guard.CallWith<std::string>(
      executor,
      [&](const hale::Attempt& attempt, const hale::Completion<std::string>& complete) {
        std::cout << "attempt " << attempt.number() << "\n";
        directory.Find(7, complete);
      },
      [&](const hale::Result<std::string>& name) {  // exactly once
        std::cout << (name ? *name : std::string(hale::Word(name.error().reason))) << " after "
                  << hale::Seconds(executor.Now() - start) << " s\n";
      });
  executor.Run();
}
