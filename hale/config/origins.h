#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "hale/config/problem.h"

namespace hale::config {

/// Which values a document set, and where; all others are defaults. Not thread-safe.
class Origins {
 public:
  explicit Origins(std::string file = {}) : file_(std::move(file)) {}

  void Add(std::string path, Position at) { places_.insert_or_assign(std::move(path), at); }
  bool Has(std::string_view path) const { return places_.contains(path); }
  /// Its own place, else that of the nearest thing around it, else the start of the document.
  Position At(std::string_view path) const;
  /// `hale.yaml:14`, or `default`.
  std::string Describe(std::string_view path) const;
  /// Takes over what `other` knows about `section` and below it, and forgets its own.
  void Replace(std::string_view section, const Origins& other);

  const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::map<std::string, Position, std::less<>> places_;
};

/// Collects what is wrong with values that have been read, each at its place in the document. Stays
/// silent about what could not be read, and what holds or is held by it: that has been said. Not
/// thread-safe.
class Findings {
 public:
  /// `problems` holds what reading found. Both outlive this.
  Findings(const Origins& origins, Problems& problems)
      : origins_(origins), problems_(problems), known_(problems.size()) {}

  void Error(std::string path, std::string message) {
    Add(Severity::kError, std::move(path), std::move(message));
  }
  void Warn(std::string path, std::string message) {
    Add(Severity::kWarning, std::move(path), std::move(message));
  }
  const Origins& origins() const { return origins_; }
  /// Whether the value there, or something of it or around it, could not be read: what is found
  /// there is a default, and nothing follows from it.
  bool Unread(std::string_view path) const;

 private:
  void Add(Severity severity, std::string path, std::string message);

  const Origins& origins_;
  Problems& problems_;
  const std::size_t known_;
};

}  // namespace hale::config
