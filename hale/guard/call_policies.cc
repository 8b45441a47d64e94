#include "hale/guard/call_policies.h"

#include <algorithm>

namespace hale::guard {

Duration PerTry(const CallPolicies& policies, const CallSpec& spec, std::uint32_t number) {
  constexpr Duration kLongest = std::chrono::seconds(5);
  if (policies.per_try > Duration::zero()) return policies.per_try;
  const std::uint32_t most = policy::MostAttempts(policies.retry, spec.idempotent);
  const bool another =
      policies.retry.mode == policy::Mode::kEnforce && spec.idempotent && number < most;
  if (!another) return kForever;
  if (spec.deadline == kNever) return kLongest;
  return std::min(kLongest, spec.whole / most);
}

}  // namespace hale::guard
