#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/last_good.h"

// Any sequence of asking, keeping, finding, dropping, outdating and changed bounds leads the core
// and a plain list, the latest use first, to the same answers.

namespace {

struct Row {
  std::string key;
  int value;
  std::size_t bytes;
  hale::TimePoint since;
  hale::Duration good_for;
  std::string subject;
  bool outdated = false;
};

/// Before which change an answer about a subject was asked for.
struct Asked {
  hale::policy::LastGoodMark mark;
  bool outdated = false;
};

struct Model {
  hale::policy::LastGoodOptions options;
  std::vector<Row> rows;

  std::size_t Bytes() const {
    std::size_t all = 0;
    for (const Row& row : rows) all += row.bytes;
    return all;
  }
  void Trim() {
    while (!rows.empty() && (Bytes() > options.memory.bytes || rows.size() > options.entries)) {
      rows.pop_back();
    }
  }
  bool Drop(const std::string& key) {
    return std::erase_if(rows, [&](const Row& row) { return row.key == key; }) > 0;
  }
  void Keep(Row row) {
    if (row.outdated) return;
    Drop(row.key);
    if (options.max_age <= hale::Duration::zero() || row.bytes > options.memory.bytes) return;
    rows.insert(rows.begin(), std::move(row));
    Trim();
  }
  const Row* Find(const std::string& key, hale::TimePoint now) {
    const auto at = std::ranges::find(rows, key, &Row::key);
    if (at == rows.end()) return nullptr;
    if (at->outdated || std::max(hale::Duration::zero(), now - at->since) >
                            std::min(options.max_age, at->good_for)) {
      rows.erase(at);
      return nullptr;
    }
    std::rotate(rows.begin(), at, at + 1);
    return rows.data();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  TimePoint now{1h};
  const auto options_of = [](std::uint8_t byte) {
    LastGoodOptions options;
    options.max_age = Duration(1s) * (byte % 8);
    options.memory.bytes = 300U + 200U * (byte / 8 % 8);
    options.entries = 1U + byte / 64;
    return options;
  };
  Model model;
  model.options = options_of(size > 0 ? data[0] : 9);
  LastGoodCore core(model.options);
  std::array<Asked, 3> asked;  // by the length of the subject
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i].mark = core.Mark(std::string(i, 's'));
  for (std::size_t i = 1; i + 2 < size; i += 3) {
    const std::string key(1U + data[i] % 3, static_cast<char>('a' + data[i] % 5));
    const std::string subject(data[i] / 16 % 3, 's');
    Asked& before = asked[subject.size()];
    const std::uint8_t what = data[i + 1];
    const std::uint8_t more = data[i + 2];
    if (what < 100) {
      const Duration good_for = more % 4 == 0 ? Duration(1s) * (more % 5) : kForever;
      const std::size_t bytes = more * 4U;
      if (what % 4 != 0) before = {core.Mark(subject)};
      core.Keep(key, std::make_shared<const int>(static_cast<int>(i)), bytes, now, good_for,
                before.mark);
      model.Keep({key, static_cast<int>(i), key.size() + bytes + LastGoodCore::kEntryBytes, now,
                  good_for, subject, before.outdated});
    } else if (what < 200) {
      const auto found = core.Find(key, now);
      const Row* expected = model.Find(key, now);
      Require(found.has_value() == (expected != nullptr));
      if (found) {
        Require(*static_cast<const int*>(found->value.get()) == expected->value);
        Require(found->age == std::max(Duration::zero(), now - expected->since));
      }
    } else if (what < 210) {
      Require(core.Drop(key) == model.Drop(key));
    } else if (what < 217) {
      core.Outdate(subject);
      before.outdated = true;
      for (Row& row : model.rows) row.outdated = row.outdated || row.subject == subject;
    } else if (what < 225) {
      model.options = options_of(more);
      if (model.options.max_age <= Duration::zero()) model.rows.clear();
      model.Trim();
      core.Apply(model.options);
    } else {
      now += Duration(100ms) * (static_cast<int>(more) - 20);  // sometimes back
    }
    Require(core.bytes() == model.Bytes());
    Require(core.entries() == model.rows.size());
    Require(core.bytes() <= core.options().memory.bytes);
  }
  return 0;
}
