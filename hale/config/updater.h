#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/config/origins.h"
#include "hale/config/print.h"
#include "hale/config/problem.h"
#include "hale/config/reader.h"

namespace hale::config {

/// One accepted state of a document.
template <class T>
struct Snapshot {
  std::uint64_t revision = 0;  ///< 1 for the first accepted, then one more each; 0: none yet
  std::string hash;            ///< of the text, 16 hex digits: equal texts have equal hashes
  std::string file;            ///< what the source is called
  T value{};                   ///< what is in force: sections read at start are those of the start
  Origins origins;
  Problems warnings;
};

enum class Verdict : std::uint8_t {
  kApplied,
  kRejected,   ///< nothing has changed; the problems say why
  kUnchanged,  ///< the same text as last time, or as the one in force
};

/// What became of a document that was offered.
struct Offered {
  Verdict verdict = Verdict::kUnchanged;
  std::uint64_t revision = 0;                ///< the one in force now
  Problems problems{};                       ///< errors, or the warnings of what was applied
  std::vector<Change> changes{};             ///< what is different now from before
  std::vector<std::string> at_next_start{};  ///< sections that differ but were read at start
};

/// 64-bit FNV-1a as 16 hex digits: tells texts apart, protects against nobody. Pure.
std::string ContentHash(std::string_view text);

/// Last-good semantics for a document, over any source: a good text replaces the whole value, a bad
/// one changes nothing and does not stand in the way of the next. Does no I/O but what `parse` does
/// for secrets. Not thread-safe.
template <class T>
class Updater {
 public:
  using Parse = std::function<Parsed<T>(std::string_view text, const std::string& file)>;

  /// `start_sections` name members of T whose first accepted value stays in force.
  Updater(Parse parse, std::vector<std::string> start_sections)
      : parse_(std::move(parse)), start_sections_(std::move(start_sections)) {}

  Offered Offer(std::string_view text, const std::string& file) {
    std::string hash = ContentHash(text);
    if (hash == last_hash_) return Same();
    last_hash_ = hash;
    if (hash == current_->hash) {
      rejected_.clear();
      return Same();
    }
    Parsed<T> parsed = parse_(text, file);
    if (!parsed.ok()) {
      rejected_ = std::move(parsed.problems);
      return {.verdict = Verdict::kRejected, .revision = current_->revision, .problems = rejected_};
    }
    rejected_.clear();
    return Accept(std::move(parsed), std::move(hash), file);
  }

  /// The text that the source holds cannot be had, for this reason.
  Offered Refuse(Problem why) {
    last_hash_.clear();  // whatever comes next is looked at
    rejected_ = {std::move(why)};
    return {.verdict = Verdict::kRejected, .revision = current_->revision, .problems = rejected_};
  }

  /// What is in force; revision 0 and all defaults before the first accepted text.
  std::shared_ptr<const Snapshot<T>> current() const { return current_; }
  /// Why the text that the source holds is not in force; empty when it is.
  const Problems& rejected() const { return rejected_; }

 private:
  Offered Same() const { return {.verdict = Verdict::kUnchanged, .revision = current_->revision}; }

  Offered Accept(Parsed<T> parsed, std::string hash, const std::string& file) {
    at_next_start_.clear();
    if (current_->revision != 0) KeepStartSections(parsed);
    auto next = std::make_shared<Snapshot<T>>();
    next->revision = current_->revision + 1;
    next->hash = std::move(hash);
    next->file = file;
    next->value = std::move(parsed.value);
    next->origins = std::move(parsed.origins);
    next->warnings = std::move(parsed.problems);
    Offered offered{.verdict = Verdict::kApplied,
                    .revision = next->revision,
                    .problems = next->warnings,
                    .changes = Diff(current_->value, next->value),
                    .at_next_start = at_next_start_};
    current_ = std::move(next);
    return offered;
  }

  void KeepStartSections(Parsed<T>& parsed) {
    std::apply([&](const auto&... field) { (KeepIfStart(field, parsed), ...); },
               CheckedFields<T>());
  }

  template <class F>
  void KeepIfStart(const F& field, Parsed<T>& parsed) {
    const std::string name(field.name);
    if (std::find(start_sections_.begin(), start_sections_.end(), name) == start_sections_.end()) {
      return;
    }
    auto& offered = parsed.value.*field.member;
    const auto& running = current_->value.*field.member;
    if (!Diff(running, offered).empty()) at_next_start_.push_back(name);
    offered = running;
    parsed.origins.Replace(name, current_->origins);
  }

  Parse parse_;
  std::vector<std::string> start_sections_;
  std::shared_ptr<const Snapshot<T>> current_ = std::make_shared<Snapshot<T>>();
  std::string last_hash_;
  Problems rejected_;
  std::vector<std::string> at_next_start_;
};

}  // namespace hale::config
