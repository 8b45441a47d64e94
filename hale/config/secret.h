#pragma once

#include <utility>

namespace hale::config {

/// A value that is never shown: dumps, differences, logs and messages print `***`. In a document it
/// is `${env:NAME}` or `{file: path}`, never the value itself.
template <class T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}

  /// For the one place that needs it; do not keep or print what it returns.
  const T& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  T value_;
};

}  // namespace hale::config
