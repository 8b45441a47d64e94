#pragma once

#include <atomic>
#include <cstdint>

#include "hale/policy/mode.h"

namespace hale::policy {

/// How many calls a policy has refused, and apart from them how many it would have, in shadow. They
/// only grow, also while the mode changes. Thread-safe.
class Refusals {
 public:
  void Count(Mode mode) {
    (mode == Mode::kEnforce ? refused_ : would_refuse_).fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t would_refuse() const { return would_refuse_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> would_refuse_{0};
};

}  // namespace hale::policy
