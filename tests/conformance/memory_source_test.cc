#include <optional>

#include "tests/conformance/source_suite.h"

namespace hale::test {
namespace {

/// The model that the others are held against. Thread-safe.
class MemorySource final : public config::Source {
 public:
  std::string_view name() const override { return "memory"; }
  Result<std::string> Read() override {
    return text_.With([](const auto& text) -> Result<std::string> {
      if (!text) return Fail(Code::kNotFound, "memory: nothing there");
      if (text->size() > config::kMaxDocument) {
        return Fail(Code::kResourceExhausted, "memory: too large");
      }
      return *text;
    });
  }
  config::Subscription Watch(std::function<void()> changed) override {
    return subscribers_.Add(std::move(changed));
  }
  void Put(std::optional<std::string> text) {
    *text_.Lock() = std::move(text);
    subscribers_.Tell();
  }

 private:
  Guarded<std::optional<std::string>> text_;
  config::Listeners<> subscribers_;
};

class MemoryBench {
 public:
  MemoryBench() { Write("first: 1"); }
  config::Source& source() { return source_; }
  void Write(std::string_view text) { source_.Put(std::string(text)); }
  void Remove() { source_.Put(std::nullopt); }

 private:
  MemorySource source_;
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, SourceSuite, MemoryBench);

}  // namespace hale::test
