#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hale::app {

/// Reads what the gateway decided from its journal and says it in the demo's words: each decision
/// that is new in a phase is told once, however often it was taken. Not thread-safe.
class DemoJournal final {
 public:
  /// `names` says what instances are called: `127.0.0.1:9001` → `backend a`.
  explicit DemoJournal(std::map<std::string, std::string> names) : names_(std::move(names)) {}

  /// Where to go on: for `/journal?since=`.
  std::uint64_t next() const { return next_; }
  /// Takes an answer of `/journal`; the sentences to tell, oldest first. What is no journal tells
  /// nothing.
  std::vector<std::string> Read(std::string_view json);
  /// A new phase: tell everything once again, but for refusals, which only one phase is about.
  void Forget();
  /// Calls that were sent to another instance as well or again, so far.
  std::uint64_t second_chances() const { return second_chances_; }

 private:
  std::string Named(std::string_view text) const;

  std::map<std::string, std::string> names_;
  std::set<std::string> told_;
  std::uint64_t next_ = 0;
  std::uint64_t second_chances_ = 0;
};

}  // namespace hale::app
