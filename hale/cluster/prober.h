#pragma once

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/base/time.h"
#include "hale/cluster/instance.h"

namespace hale::cluster {

/// Asks an instance whether it is well. Loop-bound.
class Prober {
 public:
  virtual ~Prober() = default;
  /// Ends within `timeout`, or in the turn after a stop; an error says in words what was found.
  virtual Task<Result<void>> Probe(Instance instance, Duration timeout) = 0;
};

}  // namespace hale::cluster
