#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hale::telemetry {

/// What is used of /proc/<pid>/stat (proc(5)).
struct ProcStat {
  std::uint64_t cpu_ticks = 0;    ///< user and system
  std::uint64_t start_ticks = 0;  ///< since boot
  std::uint64_t threads = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

/// The command's name, in parentheses, may itself hold blanks and parentheses. Pure.
std::optional<ProcStat> ParseProcStat(std::string_view text);

/// The line `btime` of /proc/stat: seconds since the Unix epoch. Pure.
std::optional<std::uint64_t> ParseBootTime(std::string_view text);

}  // namespace hale::telemetry
