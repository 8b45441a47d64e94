#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/partitions.h"

// Any sequence of calls that enter, wait and leave, and of new shares, leads the partitions and a
// model that counts anew each time to the same decisions.

namespace hale::policy {
namespace {

/// One call that is in or waits.
struct Call {
  Partitions::Index who;
  Partitions::Entry* entry = nullptr;
  Priority priority = Priority::kCritical;
};

struct Share {
  std::string name;
  std::uint32_t guaranteed;
  std::uint32_t kept;
  std::uint32_t quota;
};

/// What the documentation says, without any thrift. Partitions are known by their index, which is
/// the one thing that is taken from what is tested.
class Model {
 public:
  std::uint32_t limit = 1;
  std::uint32_t queue = 1;
  std::map<Partitions::Index, Share> shares;
  std::vector<Call> in;
  std::vector<Call> waiting;

  std::uint32_t In(Partitions::Index who) const {
    return static_cast<std::uint32_t>(std::ranges::count(in, who, &Call::who));
  }
  std::uint32_t Waiting(Partitions::Index who) const {
    return static_cast<std::uint32_t>(std::ranges::count(waiting, who, &Call::who));
  }
  bool HasPlace(Partitions::Index who) const {
    std::uint32_t taken = static_cast<std::uint32_t>(in.size());
    if (taken >= limit) return false;
    for (const auto& [index, share] : shares) {
      if (index == who && In(who) < share.kept) return true;
      if (index != who && In(index) < share.kept) taken += share.kept - In(index);
    }
    return taken < limit;
  }
  bool MayEnter(Partitions::Index who) const { return Waiting(who) == 0 && HasPlace(who); }
  double Owed(Partitions::Index who) const {
    const auto share = shares.find(who);
    if (share == shares.end() || In(who) >= share->second.guaranteed) return 0;
    return 1 - double{1} * In(who) / share->second.guaranteed;
  }
  std::uint32_t Quota(Partitions::Index who) const {
    if (who != Partitions::kOthers) return shares.contains(who) ? shares.at(who).quota : 0;
    std::uint32_t left = queue;
    for (const auto& [index, share] : shares) left -= std::min(left, share.quota);
    return left;
  }
  Priority Highest(Partitions::Index who) const {
    Priority highest = Priority::kSheddable;
    for (const Call& call : waiting) {
      if (call.who == who) highest = std::min(highest, call.priority);
    }
    return highest;
  }
  /// Nobody who waits and has a place is owed more, or as much with a higher priority.
  bool MayBeNext(const Call& next) const {
    return HasPlace(next.who) && std::ranges::none_of(waiting, [&](const Call& other) {
             if (!HasPlace(other.who)) return false;
             if (Owed(other.who) != Owed(next.who)) return Owed(other.who) > Owed(next.who);
             return other.priority < Highest(next.who);
           });
  }
};

class Pair {
 public:
  void Apply(Input& input) {
    PartitionsOptions options;
    model_.limit = 1 + input.Byte() % 20U;
    model_.queue = input.Byte() % 12U;
    options.by = "route";
    options.lend = input.Byte() % 5U / 4.0;
    int left = 10;
    for (const auto* name : {"a", "b", "*"}) {
      const int tenths = std::min<int>(left, input.Byte() % 8);
      left -= tenths;
      if (tenths > 0) options.shares[name] = tenths / 10.0;
    }
    partitions_.Apply({.size = model_.queue, .max_wait = 1h}, options, model_.limit);
    model_.shares.clear();
    for (const auto& [name, share] : options.shares) {
      const auto part = [](double whole, double of) {
        return static_cast<std::uint32_t>(whole * of + 1e-6);
      };
      const std::uint32_t guaranteed = part(model_.limit, share);
      model_.shares[partitions_.Find(name)] = {name, guaranteed, part(guaranteed, 1 - options.lend),
                                               part(model_.queue, share)};
    }
    Require(model_.shares.size() == options.shares.size());
  }
  void Come(std::uint8_t bits) {
    static constexpr std::array<const char*, 4> kNames{"a", "b", "c", ""};
    Call call{partitions_.Find(kNames[bits % 4]), nullptr, static_cast<Priority>(bits / 4 % 4)};
    const bool enters = model_.MayEnter(call.who);
    Require(partitions_.MayEnter(call.who, places()) == enters);
    if (enters) {
      partitions_.Entered(call.who);
      model_.in.push_back(call);
      return;
    }
    Wait(call);
  }
  void Leave(std::size_t which) {
    if (model_.in.empty()) return;
    const auto at = model_.in.begin() + static_cast<std::ptrdiff_t>(which % model_.in.size());
    partitions_.Left(at->who);
    model_.in.erase(at);
    while (Pop()) {
    }
  }
  void Abandon(std::size_t which) {
    if (model_.waiting.empty()) return;
    const auto at =
        model_.waiting.begin() + static_cast<std::ptrdiff_t>(which % model_.waiting.size());
    partitions_.Remove(*at->entry);
    model_.waiting.erase(at);
  }
  bool Pop() {
    EntryChain dropped;
    Partitions::Entry* const next = partitions_.Pop(places(), now_, 0ns, dropped);
    Require(dropped.first() == nullptr);
    if (next == nullptr) {
      Require(std::ranges::none_of(model_.waiting,
                                   [&](const Call& c) { return model_.HasPlace(c.who); }));
      return false;
    }
    const auto call = std::ranges::find(model_.waiting, next, &Call::entry);
    Require(call != model_.waiting.end() && call->who == next->partition());
    Require(model_.MayBeNext(*call));
    Require(call->priority == model_.Highest(call->who));
    model_.in.push_back(*call);
    model_.waiting.erase(call);
    return true;
  }
  void Compare() const {
    Require(partitions_.waiting() == model_.waiting.size());
    for (const auto& status : partitions_.statuses(static_cast<std::uint32_t>(model_.in.size()))) {
      if (status.name.empty()) continue;
      const auto who = partitions_.Find(status.name);
      if (!model_.shares.contains(who) || model_.shares.at(who).name != status.name) continue;
      Require(status.in_flight == model_.In(who) && status.waiting == model_.Waiting(who));
      Require(status.guaranteed == model_.shares.at(who).guaranteed);
    }
  }

 private:
  Partitions::Places places() const {
    return {static_cast<std::uint32_t>(model_.in.size()), model_.limit};
  }
  void Wait(Call call) {
    EntryChain dropped;
    call.entry = &entries_.emplace_back();
    const bool full = model_.waiting.size() >= model_.queue;
    const bool below = model_.Waiting(call.who) < model_.Quota(call.who);
    const auto queued =
        partitions_.Push(*call.entry, call.who, {.priority = call.priority}, now_, 0ns, dropped);
    auto* const victim = static_cast<Partitions::Entry*>(dropped.first());
    Require(full || (queued == Partitions::Queued::kYes && victim == nullptr));
    if (full && queued == Partitions::Queued::kYes) {
      const auto out = std::ranges::find(model_.waiting, victim, &Call::entry);
      Require(out != model_.waiting.end());
      if (below && partitions_.divided()) {
        Require(model_.Waiting(out->who) > model_.Quota(out->who));
      } else {
        Require(out->who == call.who && out->priority > call.priority);
      }
      model_.waiting.erase(out);
    }
    if (queued == Partitions::Queued::kYes) model_.waiting.push_back(call);
  }

  TimePoint now_{1h};
  std::deque<Partitions::Entry> entries_;
  Partitions partitions_{{}, {}, 1};
  Model model_;
};

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale::policy;  // NOLINT: a fuzz target is one function
  Input input(data, std::min<std::size_t>(size, 400));
  Pair pair;
  pair.Apply(input);
  while (!input.empty()) {
    const std::uint8_t op = input.Byte();
    if (op < 120) {
      pair.Come(op);
    } else if (op < 200) {
      pair.Leave(op);
    } else if (op < 230) {
      pair.Abandon(op);
    } else if (op < 245) {
      pair.Pop();
    } else {
      pair.Apply(input);
    }
    pair.Compare();
  }
  return 0;
}
