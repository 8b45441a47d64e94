#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/load_options.h"
#include "app/log_histogram.h"

namespace hale::app {

/// How one request of a load run ended.
struct LoadSample {
  enum class Ended : std::uint8_t {
    kAnswered,   ///< a whole response came; `status` says which
    kRefused,    ///< no connection could be made
    kReset,      ///< the connection broke before the end of the response
    kTimeout,    ///< not over in time
    kProtocol,   ///< what came was no HTTP
    kWrongBody,  ///< the checksum differed
    kUnsent,     ///< the generator itself had no room left
    kCount,
  };
  Duration at{0};       ///< when it was due, since the start
  Duration late{0};     ///< how much later the generator came to it
  Duration latency{0};  ///< from the instant it was due to the end of the response
  Ended ended = Ended::kAnswered;
  int status = 0;      ///< 0: none came
  std::string reason;  ///< of the response's `hale-reason`; empty: none
  std::string method;
  std::string path;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;  ///< of the response's body

  bool ok() const { return ended == Ended::kAnswered && status < 400; }
};

/// `refused`, `reset` ...
std::string_view Word(LoadSample::Ended ended);

/// Figures of a load run. Latency counts from the instant a request was due, so that a stalled
/// server cannot hide the requests it kept waiting. Not thread-safe.
class LoadReport final {
 public:
  explicit LoadReport(const LoadOptions& options);

  void Record(const LoadSample& sample);
  /// The run is over after `elapsed`.
  void Finish(Duration elapsed);

  std::uint64_t sent() const { return all_.count; }
  std::uint64_t failed() const { return all_.failed; }
  Duration slowest() const { return all_.latency.max(); }
  /// One line for a terminal, `now` after the start.
  std::string ProgressLine(Duration now) const;
  /// The generator kept up: at most 1 % of the requests left more than 10 ms late, none unsent.
  /// Otherwise the figures describe the generator.
  bool valid() const;

  std::string Text() const;
  /// One JSON object on one line.
  std::string Json() const;

 private:
  struct Group {
    std::uint64_t count = 0;
    std::uint64_t failed = 0;
    LogHistogram latency;
    void Add(const LoadSample& sample);
  };
  /// A second of the run, by when its requests were due.
  struct Second {
    std::uint64_t count = 0;
    std::uint64_t failed = 0;
    Duration late{0};                   ///< of the generator, at worst
    std::vector<std::uint32_t> micros;  ///< latencies, until the second is closed
    Duration p50{0};
    Duration p99{0};
    Duration max{0};
    void Close();
  };
  void RecordSecond(const LoadSample& sample);
  void RecordSlowest(const LoadSample& sample);
  static std::string Describe(const LoadSample& sample);

  LoadOptions options_;
  Group all_;
  std::map<std::string, Group> methods_;
  std::map<int, std::uint64_t> statuses_;
  std::map<std::string, std::uint64_t> reasons_;  ///< at most kReasons, then `other`
  std::array<std::uint64_t, static_cast<std::size_t>(LoadSample::Ended::kCount)> ended_{};
  LogHistogram late_;
  std::uint64_t too_late_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<LoadSample> slowest_;  ///< a heap, the fastest of them on top
  std::vector<Second> seconds_;
  std::size_t closed_ = 0;  ///< seconds before this are closed
  Duration elapsed_{0};
};

}  // namespace hale::app
