#include "hale/net/fields.h"

#include <algorithm>
#include <utility>

#include "hale/net/http1_syntax.h"

namespace hale::net {

bool internal::SameButForCase(const char* a, const char* b, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    if (LowerCase(a[i]) != LowerCase(b[i])) return false;
  }
  return true;
}

namespace {

/// A character that would end a line or cut it short.
constexpr bool Splits(char c) { return c == '\r' || c == '\n' || c == 0; }

}  // namespace

Fields::Position Fields::Store(std::string_view name, std::string_view value) {
  const Position at{.name = static_cast<std::uint32_t>(buffer_.size()),
                    .name_size = static_cast<std::uint32_t>(name.size()),
                    .value = static_cast<std::uint32_t>(buffer_.size() + name.size()),
                    .value_size = static_cast<std::uint32_t>(value.size())};
  if (buffer_.capacity() - buffer_.size() < name.size() + value.size()) {
    // Both may be views of this buffer, so it is left standing until they are copied.
    std::string larger;
    larger.reserve(2 * (buffer_.size() + name.size() + value.size()));
    larger.append(buffer_).append(name).append(value);
    buffer_ = std::move(larger);
  } else {
    buffer_.append(name).append(value);
  }
  const auto stored = buffer_.begin() + at.value;
  bool split = false;  // without a branch in the loop it is done 16 bytes at a time
  std::for_each(stored, buffer_.end(), [&](char c) { split |= Splits(c); });
  if (split) std::replace_if(stored, buffer_.end(), Splits, ' ');
  return at;
}

void Fields::Append(std::string_view name, std::string_view value) {
  if (IsToken(name)) lines_.push_back(Store(name, value));
}

void Fields::Set(std::string_view name, std::string_view value) {
  const auto is_it = [&](const Position& at) { return EqualsIgnoringCase(ViewOf(at).name, name); };
  const auto first = std::find_if(lines_.begin(), lines_.end(), is_it);
  if (first == lines_.end()) return Append(name, value);
  lines_.erase(std::remove_if(first + 1, lines_.end(), is_it), lines_.end());
  *first = Store(name, value);
}

std::size_t Fields::Remove(std::string_view name) {
  return RemoveIf([&](const Line& line) { return EqualsIgnoringCase(line.name, name); });
}

void Fields::Clear() {
  buffer_.clear();
  lines_.clear();
}

std::optional<std::string_view> Fields::Find(std::string_view name) const {
  for (const Position& at : lines_) {
    const Line line = ViewOf(at);
    if (EqualsIgnoringCase(line.name, name)) return line.value;
  }
  return std::nullopt;
}

std::size_t Fields::Count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines_, [&](const Position& at) { return EqualsIgnoringCase(ViewOf(at).name, name); }));
}

void Fields::AssignBuffer(std::string_view bytes) {
  buffer_.assign(bytes);
  lines_.clear();
}

void Fields::Mark(std::string_view name, std::string_view value) {
  const auto offset = [&](std::string_view part) {
    return static_cast<std::uint32_t>(part.data() - buffer_.data());
  };
  lines_.push_back({.name = offset(name),
                    .name_size = static_cast<std::uint32_t>(name.size()),
                    .value = offset(value),
                    .value_size = static_cast<std::uint32_t>(value.size())});
}

}  // namespace hale::net
