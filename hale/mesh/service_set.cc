#include <algorithm>
#include <utility>

#include "hale/mesh/service.h"
#include "hale/policy/narrow.h"

namespace hale::mesh {
namespace {

std::uint32_t GroupOf(const cluster::Instance& instance, const policy::PriorityOptions& options) {
  const auto word = instance.metadata.find(options.metadata);
  return policy::ParseGroup(word == instance.metadata.end() ? std::string_view() : word->second);
}

bool SameEntries(const std::vector<policy::MaglevEntry>& a,
                 const std::vector<policy::MaglevEntry>& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.id == y.id && x.weight == y.weight; });
}

}  // namespace

void Service::PublishSet(std::vector<std::shared_ptr<Member>> members) {
  const auto options = options_.Get();
  const policy::BalanceOptions& balance = options->balance;
  MemberSet set;
  set.members = std::move(members);
  std::vector<policy::Place> places;
  std::vector<std::uint64_t> ids;
  for (const auto& member : set.members) {
    const Known& known = *Find(member->address());
    set.weights.push_back(known.instance.weight);
    const bool out = known.verdict.out();
    places.push_back({.zone = known.instance.zone,
                      .group = GroupOf(known.instance, balance.priority),
                      .weight = known.instance.weight,
                      .usable = !out});
    ids.push_back(policy::MaglevId(member->address()));
  }
  auto narrowed = policy::Narrow(places, policy::Subset(ids, balance.subset, context_.node),
                                 {balance.priority, balance.zone, context_.zone});
  set.factors = std::move(narrowed.factors);
  set.local = narrowed.local;
  set.first = narrowed.first;
  for (std::uint32_t i = 0; narrowed.narrow && i < set.factors.size(); ++i) {
    if (set.factors[i] > 0) set.narrowed.push_back(i);
  }
  set.reports = balance.reports == policy::Reports::kUse;
  if (balance.kind == policy::BalanceKind::kMaglev) set.table = TableOf(set);
  set_.Publish(std::move(set));
}

std::shared_ptr<const policy::MaglevTable> Service::TableOf(const MemberSet& set) {
  std::vector<policy::MaglevEntry> entries;
  for (std::size_t i = 0; i < set.members.size(); ++i) {
    entries.push_back({policy::MaglevId(set.members[i]->address()), set.weights[i]});
  }
  if (!table_ || !SameEntries(entries, table_of_)) {
    table_ = std::make_shared<const policy::MaglevTable>(entries);
    table_of_ = std::move(entries);
  }
  return table_;
}

}  // namespace hale::mesh
