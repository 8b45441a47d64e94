#include <algorithm>
#include <array>
#include <span>

#include "hale/mesh/service.h"

namespace hale::mesh {
namespace {

/// So many members that may take a call are looked at for one pick. Of a larger set those from a
/// random place on stand for the whole: drawing two of them is drawing two of all. Neighbours may
/// fail together, so it is not so many members of any kind.
constexpr std::size_t kWindow = 64;

/// How long until the first of the circuits that rest admits a probe; zero when none says when.
Duration UntilOneAdmits(std::span<const std::shared_ptr<Member>> members, TimePoint now) {
  TimePoint first = kNever;
  for (const auto& member : members) {
    const TimePoint from = member->breaker().admits_from();
    if (from > now) first = std::min(first, from);
  }
  return first == kNever ? Duration::zero() : first - now;
}

}  // namespace

/// The members that may take a call, packed for the balancer.
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
    std::move(candidates.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              candidates.begin() + static_cast<std::ptrdiff_t>(size) + 1,
              candidates.begin() + static_cast<std::ptrdiff_t>(i));
    std::move(index.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              index.begin() + static_cast<std::ptrdiff_t>(size) + 1,
              index.begin() + static_cast<std::ptrdiff_t>(i));
  }
};

std::expected<guard::Lease, Rejection> Service::PickAmong(const guard::Wanted& wanted,
                                                          const guard::Tried* tried) {
  const TimePoint now = wanted.now;
  const std::shared_ptr<const MemberSet> set = set_.Get();
  const std::size_t count = set->members.size();
  const std::size_t start = count > kWindow ? wanted.random.Below(count) : 0;
  Eligible eligible;
  std::size_t closed_to_us = 0;
  for (std::size_t i = 0; i < count && eligible.size < kWindow; ++i) {
    const std::size_t at = (start + i) % count;
    const Member& member = *set->members[at];
    const policy::Use use = member.verdict().use();
    if (tried != nullptr && tried->Has(member)) continue;
    if (use == policy::Use::kOut || set->weights[at] <= 0) continue;
    if (use == policy::Use::kNormal &&
        (member.pulse().stalled() || !member.breaker().WouldAdmit(now))) {
      ++closed_to_us;
      continue;
    }
    eligible.Add(member, set->weights[at], at);
  }
  Rejection rejection{.reason = closed_to_us > 0 ? Reason::kCircuitOpen : Reason::kNoInstance,
                      .observed = 0,
                      .threshold = static_cast<double>(count)};
  if (eligible.size == 0 && closed_to_us > 0)
    rejection.retry_after = UntilOneAdmits(set->members, now);
  std::shared_ptr<Member> ramping;
  while (eligible.size > 0) {
    const auto chosen =
        balancer_.Pick({eligible.candidates.data(), eligible.size}, wanted.random, now);
    if (!chosen) break;
    const std::shared_ptr<Member>& member = set->members[eligible.index[*chosen]];
    auto lease = guard::Lease::Take(member, now, wanted.timeout);
    if (lease) return lease;
    if (member->verdict().use() == policy::Use::kAnyway) {
      return guard::Lease::TakeAnyway(member, now);
    }
    // A closed circuit refuses only while it ramps.
    if (member->breaker().state(now) == policy::CircuitState::kClosed) ramping = member;
    rejection = lease.error();
    eligible.Remove(*chosen);
  }
  // A ramp spares one instance while others can serve; it turns no user away.
  if (ramping) return guard::Lease::TakeAnyway(std::move(ramping), now);
  return std::unexpected(rejection);
}

std::expected<guard::Lease, Rejection> Service::Pick(const guard::Wanted& wanted) {
  auto lease = PickAmong(wanted, wanted.tried.empty() ? nullptr : &wanted.tried);
  // Nobody new may take it: one that has been tried is better than none.
  if (!lease && !wanted.tried.empty()) return PickAmong(wanted, nullptr);
  return lease;
}

std::expected<guard::Lease, Rejection> Service::PickOther(const guard::Wanted& wanted) {
  return PickAmong(wanted, &wanted.tried);
}

}  // namespace hale::mesh
