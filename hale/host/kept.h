#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "hale/base/time.h"

namespace hale::host {

/// What stays the same object through documents, and since when the document has not had it.
/// Removing and adding is no amnesty, so what left is kept for kRemembered. A value.
template <class T>
struct Kept {
  std::shared_ptr<T> object;
  TimePoint left = kNever;
};

template <class T>
using KeptMap = std::map<std::string, Kept<T>>;

constexpr Duration kRemembered = std::chrono::minutes(10);

/// A new document begins: all that it will not ask for has left now. Pure.
template <class T>
void MarkAllLeft(KeptMap<T>& all, TimePoint now) {
  for (auto& [key, kept] : all) {
    if (kept.left == kNever) kept.left = now;
  }
}

/// Forgets what left long ago. Pure.
template <class T>
void ForgetOld(KeptMap<T>& all, TimePoint now) {
  std::erase_if(all, [&](const auto& entry) {
    return entry.second.left != kNever && now - entry.second.left > kRemembered;
  });
}

}  // namespace hale::host
