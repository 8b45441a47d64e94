#include "hale/telemetry/proc_stat.h"

#include <array>
#include <charconv>

namespace hale::telemetry {
namespace {

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ProcStat> ParseProcStat(std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  // Field 3, the state, is the first after the name; 24, resident pages, the last that is used.
  std::array<std::string_view, 25> fields;
  for (std::size_t i = 3; i < fields.size(); ++i) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    fields[i] = text.substr(0, text.find(' '));
    text.remove_prefix(fields[i].size());
  }
  const auto user = ParseNumber(fields[14]);
  const auto system = ParseNumber(fields[15]);
  const auto threads = ParseNumber(fields[20]);
  const auto start = ParseNumber(fields[22]);
  const auto size = ParseNumber(fields[23]);
  const auto resident = ParseNumber(fields[24]);
  if (!user || !system || !threads || !start || !size || !resident) return std::nullopt;
  return ProcStat{.cpu_ticks = *user + *system,
                  .start_ticks = *start,
                  .threads = *threads,
                  .virtual_bytes = *size,
                  .resident_pages = *resident};
}

std::optional<std::uint64_t> ParseBootTime(std::string_view text) {
  constexpr std::string_view kKey = "\nbtime ";
  const std::size_t at = text.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  return ParseNumber(text.substr(at + kKey.size()));
}

}  // namespace hale::telemetry
