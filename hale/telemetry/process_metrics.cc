#include "hale/telemetry/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "hale/telemetry/proc_stat.h"

namespace hale::telemetry {
namespace {

// Files under /proc that are read here fit well into 4 KiB; /proc/stat's btime may come later.
std::string ReadFile(const char* path) {
  std::string text;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  std::array<char, 4096> part;
  for (ssize_t got = 0; (got = read(file, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  close(file);
  return text;
}

std::optional<ProcStat> Own() { return ParseProcStat(ReadFile("/proc/self/stat")); }

double TicksToSeconds(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::optional<double> OpenFiles() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  int count = 0;
  while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return count - 1;  // without the folder itself
}

std::optional<double> MaxFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void RegisterProcessMetrics(Registry& registry) {
  using Read = std::optional<double> (*)();
  const auto add = [&](const char* name, const char* help, MetricKind kind, Read read) {
    registry.Compute({.name = name, .help = help}, kind, [read](SampleSink& sink) {
      if (const auto value = read()) sink.Sample({}, *value);
    });
  };
  add("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
      MetricKind::kCounter, []() -> std::optional<double> {
        const auto stat = Own();
        if (!stat) return std::nullopt;
        return TicksToSeconds(stat->cpu_ticks);
      });
  add("process_resident_memory_bytes", "Resident memory size in bytes.", MetricKind::kGauge,
      []() -> std::optional<double> {
        const auto stat = Own();
        if (!stat) return std::nullopt;
        return static_cast<double>(stat->resident_pages) *
               static_cast<double>(sysconf(_SC_PAGESIZE));
      });
  add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricKind::kGauge,
      []() -> std::optional<double> {
        const auto stat = Own();
        if (!stat) return std::nullopt;
        return static_cast<double>(stat->virtual_bytes);
      });
  add("process_threads", "Threads of this process.", MetricKind::kGauge,
      []() -> std::optional<double> {
        const auto stat = Own();
        if (!stat) return std::nullopt;
        return static_cast<double>(stat->threads);
      });
  add("process_start_time_seconds", "Start time since the Unix epoch, in seconds.",
      MetricKind::kGauge, []() -> std::optional<double> {
        const auto stat = Own();
        const auto boot = ParseBootTime(ReadFile("/proc/stat"));
        if (!stat || !boot) return std::nullopt;
        return static_cast<double>(*boot) + TicksToSeconds(stat->start_ticks);
      });
  add("process_open_fds", "Open file descriptors.", MetricKind::kGauge, OpenFiles);
  add("process_max_fds", "Limit of open file descriptors.", MetricKind::kGauge, MaxFiles);
}

}  // namespace hale::telemetry
