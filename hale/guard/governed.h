#pragma once

#include <cstdint>
#include <utility>

#include "hale/base/error.h"
#include "hale/guard/lease.h"
#include "hale/policy/bulkhead.h"

namespace hale::guard {

/// How a governed call ended. A good result still holds the lease of the instance that gave it, so
/// that the load lasts as long as the answer flows. The error of a bad one is that of the last
/// attempt, its `executed` what any attempt may have done.
template <class T>
struct Governed {
  Governed(Result<T> r, std::uint32_t n) : result(std::move(r)), attempts(n) {}

  Result<T> result;
  std::uint32_t attempts = 0;  ///< sent to an instance; races included
  Lease lease;
  policy::Bulkhead::Permit place;
  bool final_for_caller = false;  ///< tell the caller `hale-retry: no`
};

}  // namespace hale::guard
