#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/field_value.h"
#include "hale/guard/guard_options.h"

namespace hale::guard {

/// One layer of a guard's pipeline.
struct Layer {
  std::string_view name;
  policy::Mode (*mode)(const GuardOptions& options);
  std::string (*figures)(const GuardOptions& options);  ///< those that matter, in words
};

/// All layers in the one order in which a call goes through them, outermost first. Pure.
std::span<const Layer> Layers();

/// The pipeline that options come to, one line a layer: its name, its mode and its figures. Pure.
std::string Describe(const GuardOptions& options);

/// How the callables of a guard are waited for.
enum class Calls : std::uint8_t {
  kAny,    ///< also by a thread that sleeps
  kAsync,  ///< never: only such calls can be hedged
};

/// What a guard cannot be made of; empty: it can. Pure.
std::vector<Remark> Check(const GuardOptions& options, Calls calls = Calls::kAny);

/// What a change would change. Pure.
std::vector<Change> Diff(const GuardOptions& before, const GuardOptions& after);

}  // namespace hale::guard
