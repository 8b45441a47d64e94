#include <algorithm>
#include <array>

#include "hale/mesh/service.h"

namespace hale::mesh {
namespace {

/// So many members are looked at for one pick. Of a larger set a window at a random place stands
/// for the whole: drawing two out of it is drawing two out of all.
constexpr std::size_t kWindow = 64;

}  // namespace

/// The members of a window that may take a call, packed for the balancer.
struct Service::Eligible {
  std::array<policy::Candidate, kWindow> candidates;
  std::array<std::uint32_t, kWindow> index;
  std::size_t size = 0;

  void Add(const Member& member, double weight, std::size_t at) {
    candidates[size] = {&member.load(), weight, member.verdict().ramp_from()};
    index[size++] = static_cast<std::uint32_t>(at);
  }
  void Remove(std::size_t i) {
    --size;
    std::move(candidates.begin() + static_cast<std::ptrdiff_t>(i) + 1, candidates.begin() + static_cast<std::ptrdiff_t>(size) + 1,
              candidates.begin() + static_cast<std::ptrdiff_t>(i));
    std::move(index.begin() + static_cast<std::ptrdiff_t>(i) + 1, index.begin() + static_cast<std::ptrdiff_t>(size) + 1,
              index.begin() + static_cast<std::ptrdiff_t>(i));
  }
};

std::expected<guard::Lease, Rejection> Service::PickAmong(const guard::Tried* tried, TimePoint now,
                                                          Random& random) {
  const std::shared_ptr<const MemberSet> set = set_.Get();
  const std::size_t count = set->members.size();
  const std::size_t window = std::min(count, kWindow);
  const std::size_t start = count > kWindow ? random.Below(count) : 0;
  Eligible eligible;
  std::size_t closed_to_us = 0;
  for (std::size_t i = 0; i < window; ++i) {
    const std::size_t at = (start + i) % count;
    const Member& member = *set->members[at];
    const policy::Use use = member.verdict().use();
    if (tried != nullptr && tried->Has(member)) continue;
    if (use == policy::Use::kOut || set->weights[at] <= 0) continue;
    if (use == policy::Use::kNormal && (member.pulse().stalled() || !member.breaker().WouldAdmit(now))) {
      ++closed_to_us;
      continue;
    }
    eligible.Add(member, set->weights[at], at);
  }
  Rejection rejection{.reason = closed_to_us > 0 ? Reason::kCircuitOpen : Reason::kNoInstance,
                      .observed = 0,
                      .threshold = static_cast<double>(count)};
  while (eligible.size > 0) {
    const auto chosen = balancer_.Pick({eligible.candidates.data(), eligible.size}, random, now);
    if (!chosen) break;
    const std::shared_ptr<Member>& member = set->members[eligible.index[*chosen]];
    if (member->verdict().use() == policy::Use::kAnyway) {
      auto lease = guard::Lease::Take(member, now);
      return lease ? std::move(*lease) : guard::Lease::TakeAnyway(member, now);
    }
    auto lease = guard::Lease::Take(member, now);
    if (lease) return lease;
    rejection = lease.error();
    eligible.Remove(*chosen);
  }
  return std::unexpected(rejection);
}

std::expected<guard::Lease, Rejection> Service::Pick(const guard::Tried& tried, TimePoint now,
                                                     Random& random) {
  auto lease = PickAmong(tried.empty() ? nullptr : &tried, now, random);
  // Nobody new may take it: one that has been tried is better than none.
  if (!lease && !tried.empty()) return PickAmong(nullptr, now, random);
  return lease;
}

std::expected<guard::Lease, Rejection> Service::PickOther(const guard::Tried& tried, TimePoint now,
                                                          Random& random) {
  return PickAmong(&tried, now, random);
}

}  // namespace hale::mesh
