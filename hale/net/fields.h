#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hale::net {

namespace internal {
bool SameButForCase(const char* a, const char* b, std::size_t size);
}  // namespace internal

/// Equal but for the case of ASCII letters. Pure.
inline bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  // Most names that are compared differ in length: that much is done where it is asked.
  return a.size() == b.size() && internal::SameButForCase(a.data(), b.data(), a.size());
}

/// The field lines of a message (RFC 9110 §5): an ordered list in one buffer, names compared
/// without case, order and repetition kept. Views are valid until the next change. Reused, it does
/// not allocate. Not thread-safe.
class Fields {
 public:
  struct Line {
    std::string_view name;
    std::string_view value;
  };

  /// CR, LF and NUL in a value become spaces, and a name that is no token is dropped with its
  /// value: no caller can split a message.
  void Append(std::string_view name, std::string_view value);
  /// Replaces all lines of that name by one, at the place of the first.
  void Set(std::string_view name, std::string_view value);
  /// How many lines it removed.
  std::size_t Remove(std::string_view name);
  /// Removes all lines for which `predicate(Line)` holds.
  template <class Predicate>
  std::size_t RemoveIf(Predicate predicate) {
    return std::erase_if(lines_, [&](const Position& at) { return predicate(ViewOf(at)); });
  }
  void Clear();

  /// The first value of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  std::size_t Count(std::string_view name) const;

  std::size_t size() const { return lines_.size(); }
  bool empty() const { return lines_.empty(); }
  Line operator[](std::size_t index) const { return ViewOf(lines_[index]); }

  class Iterator {
   public:
    using value_type = Line;
    using difference_type = std::ptrdiff_t;
    Iterator(const Fields* fields, std::size_t index) : fields_(fields), index_(index) {}
    Line operator*() const { return (*fields_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Fields* fields_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  /// For parsers: takes over the bytes of a head, then marks lines in it by offset.
  void AssignBuffer(std::string_view bytes);
  void Mark(std::string_view name, std::string_view value);
  std::string_view buffer() const { return buffer_; }

 private:
  struct Position {
    std::uint32_t name = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value = 0;
    std::uint32_t value_size = 0;
  };
  Line ViewOf(const Position& at) const {
    return {{buffer_.data() + at.name, at.name_size}, {buffer_.data() + at.value, at.value_size}};
  }
  Position Store(std::string_view name, std::string_view value);

  std::string buffer_;
  std::vector<Position> lines_;
};

}  // namespace hale::net
