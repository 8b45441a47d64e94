#include <algorithm>
#include <array>
#include <optional>
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

bool IsKeyed(const MemberSet& set, const guard::Wanted& wanted) {
  return wanted.key != 0 && set.table && !set.table->empty();
}

}  // namespace

/// Where a window into a large set begins: with a key at the member that it belongs to, so that the
/// next ones in its order are the same each time; else anywhere.
std::size_t StartOf(const MemberSet& set, bool narrowed, bool keyed, const guard::Wanted& wanted) {
  if (!keyed) return wanted.random.Below(narrowed ? set.narrowed.size() : set.members.size());
  const std::uint32_t home = set.table->At(set.table->SlotOf(wanted.key));
  if (!narrowed) return home;
  const auto at = std::ranges::lower_bound(set.narrowed, home);
  return at == set.narrowed.end() ? 0 : static_cast<std::size_t>(at - set.narrowed.begin());
}

/// The members that may take a call, packed for the balancer.
struct Service::Eligible {
  std::array<policy::Candidate, kWindow> candidates;
  std::array<std::uint32_t, kWindow> index;
  std::size_t size = 0;
  std::size_t closed_to_us = 0;
  std::optional<Rejection> full;  // some would do, and have no room: it is worth waiting

  void Add(const MemberSet& set, std::size_t at, double factor) {
    const Member& member = *set.members[at];
    candidates[size] = {.load = &member.load(),
                        .weight = set.weights[at] * factor,
                        .since = member.verdict().ramp_from(),
                        .share = factor,
                        .reported = set.reports ? &member.load().reported() : nullptr};
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

/// `narrowed`: only those that the set is narrowed to.
void Service::Gather(const MemberSet& set, bool narrowed, const guard::Wanted& wanted,
                     const guard::Tried* tried, Eligible& eligible) {
  const std::size_t count = narrowed ? set.narrowed.size() : set.members.size();
  const bool keyed = IsKeyed(set, wanted);
  const std::size_t start = count > kWindow ? StartOf(set, narrowed, keyed, wanted) : 0;
  for (std::size_t i = 0; i < count && eligible.size < kWindow; ++i) {
    const std::size_t nth = (start + i) % count;
    const std::size_t at = narrowed ? set.narrowed[nth] : nth;
    const Member& member = *set.members[at];
    const policy::Use use = member.verdict().use();
    if (tried != nullptr && tried->Has(member)) continue;
    if (use == policy::Use::kOut || use == policy::Use::kAside || set.weights[at] <= 0) continue;
    if (use == policy::Use::kNormal &&
        (member.pulse().stalled() || !member.breaker().WouldAdmit(wanted.now))) {
      ++eligible.closed_to_us;
      continue;
    }
    if (member.load().full()) {
      eligible.full = policy::NoRoom(member.load());
      continue;
    }
    eligible.Add(set, at, narrowed ? set.factors[at] : 1);
  }
}

std::expected<guard::Lease, Rejection> Service::PickFrom(const MemberSet& set, bool narrowed,
                                                         const guard::Wanted& wanted,
                                                         const guard::Tried* tried) {
  const TimePoint now = wanted.now;
  const std::size_t count = narrowed ? set.narrowed.size() : set.members.size();
  const bool keyed = IsKeyed(set, wanted);
  Eligible eligible;
  Gather(set, narrowed, wanted, tried, eligible);
  std::optional<Rejection>& full = eligible.full;
  Rejection rejection{
      .reason = eligible.closed_to_us > 0 ? Reason::kCircuitOpen : Reason::kNoInstance,
      .observed = 0,
      .threshold = static_cast<double>(count)};
  if (eligible.size == 0 && eligible.closed_to_us > 0)
    rejection.retry_after = UntilOneAdmits(set.members, now);
  std::shared_ptr<Member> ramping;
  while (eligible.size > 0) {
    const std::span<const policy::Candidate> candidates{eligible.candidates.data(), eligible.size};
    std::optional<std::size_t> chosen;
    if (keyed) {
      const policy::Affinity affinity{
          *set.table, wanted.key, {eligible.index.data(), eligible.size}};
      chosen = balancer_.Pick(candidates, wanted.random, now, &affinity);
    } else {
      chosen = balancer_.Pick(candidates, wanted.random, now);
    }
    if (!chosen) break;
    const std::shared_ptr<Member>& member = set.members[eligible.index[*chosen]];
    auto lease = guard::Lease::Take(member, now, wanted.timeout, wanted.trail);
    if (!lease && lease.error().reason != Reason::kConcurrency &&
        member->verdict().use() == policy::Use::kAnyway) {
      lease = guard::Lease::TakeAnyway(member, now);
    }
    if (lease) return lease;
    if (lease.error().reason == Reason::kConcurrency) full = lease.error();
    // A closed circuit refuses only while it ramps.
    const bool refused = lease.error().reason != Reason::kConcurrency;
    if (refused && member->breaker().state(now) == policy::CircuitState::kClosed) ramping = member;
    rejection = lease.error();
    eligible.Remove(*chosen);
  }
  // A ramp spares one instance while others can serve; it turns no user away.
  if (ramping) return guard::Lease::TakeAnyway(std::move(ramping), now);
  return std::unexpected(full ? *full : rejection);
}

/// A narrowing turns nobody away: where it leaves nobody that can take the call, all are asked.
std::expected<guard::Lease, Rejection> Service::PickAmong(const guard::Wanted& wanted,
                                                          const guard::Tried* tried) {
  const std::shared_ptr<const MemberSet> set = set_.Get();
  if (!set->narrowed.empty()) {
    auto lease = PickFrom(*set, true, wanted, tried);
    if (lease) return lease;
  }
  return PickFrom(*set, false, wanted, tried);
}

/// Somebody who is said to be dead may have come back: ask soon.
void Service::OnNobody() {
  if (!missed_.exchange(true, std::memory_order_relaxed)) Wake();
}

std::expected<guard::Lease, Rejection> Service::Pick(const guard::Wanted& wanted) {
  auto lease = PickAmong(wanted, wanted.tried.empty() ? nullptr : &wanted.tried);
  // Nobody new may take it: one that has been tried is better than none, but not than a new one
  // that will have room soon.
  const bool none = !lease && lease.error().reason != Reason::kConcurrency;
  if (none && !wanted.tried.empty()) lease = PickAmong(wanted, nullptr);
  if (!lease) OnNobody();
  return lease;
}

std::expected<guard::Lease, Rejection> Service::PickOther(const guard::Wanted& wanted) {
  return PickAmong(wanted, &wanted.tried);
}

bool Service::HasOther(const guard::Wanted& wanted) const {
  Eligible eligible;
  Gather(*set_.Get(), false, wanted, &wanted.tried, eligible);
  return eligible.size > 0;
}

}  // namespace hale::mesh
