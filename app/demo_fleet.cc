#include "app/demo_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/demo_http.h"
#include "hale/base/clock.h"

namespace hale::app {
namespace {

constexpr Duration kStartPatience = 10s;
constexpr std::string_view kFile = "hale.yaml";
// Who has what done to it.
constexpr std::size_t kSlowed = 0;
constexpr std::size_t kKilled = 1;
constexpr std::size_t kStopped = 2;

std::string Name(std::size_t index) { return std::string(1, static_cast<char>('a' + index)); }

bool Answers(std::uint16_t port, std::string_view path) {
  return Ask({.port = port, .path = path}).status == 200;
}

}  // namespace

Result<DemoFleet> DemoFleet::Start(bool policies, const std::atomic<bool>& stop) {
  Result<DemoFolder> folder = DemoFolder::Make();
  if (!folder) return std::unexpected(folder.error());
  DemoFleet fleet(std::move(*folder));
  fleet.places_.policies = policies;
  if (const Result<void> started = fleet.StartAll(stop); !started) {
    return std::unexpected(started.error());
  }
  return fleet;
}

Result<void> DemoFleet::StartAll(const std::atomic<bool>& stop) {
  for (std::size_t i = 0; i < backends_.size() + 2; ++i) {
    const Result<std::uint16_t> port = FreePort();
    if (!port) return std::unexpected(port.error());
    if (i < backends_.size()) {
      places_.backends.push_back(*port);
    } else {
      (i == backends_.size() ? places_.port : places_.admin) = *port;
    }
  }
  places_.access_log = folder_.File("access.log");
  document_ = DemoDocument(places_);
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    if (const Result<void> started = StartBackend(i); !started) return started;
  }
  // A gateway that found a backend missing at first would begin the story with its return.
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const auto answers = [this, i] { return Answers(places_.backends[i], "/"); };
    if (const Result<void> up =
            WaitFor({backends_[i], "backend " + Name(i), Name(i) + ".log"}, answers, stop);
        !up) {
      return up;
    }
  }

  if (const Result<void> written = folder_.Write(kFile, document_); !written) return written;
  const std::vector<std::string> arguments{"gateway", "-c", folder_.File(kFile)};
  Result<DemoProcess> gateway = DemoProcess::Start(arguments, folder_.File("gateway.log"));
  if (!gateway) return std::unexpected(gateway.error());
  gateway_ = std::move(*gateway);
  const auto answers = [this] {
    return Answers(places_.admin, "/ready") && Answers(places_.port, "/");
  };
  return WaitFor({gateway_, "the gateway", "gateway.log"}, answers, stop);
}

Result<void> DemoFleet::WaitFor(const Starting& starting, const std::function<bool()>& answers,
                                const std::atomic<bool>& stop) {
  const TimePoint patience = SaturatingAdd(RealClock().Now(), kStartPatience);
  while (starting.process.Alive()) {
    if (answers()) return {};
    if (stop.load(std::memory_order_relaxed)) return Fail(Code::kCancelled, "interrupted");
    if (RealClock().Now() >= patience) {
      return Fail(Code::kUnavailable,
                  starting.name + " did not answer within 10 s: " + LastWords(starting.log));
    }
    std::this_thread::sleep_for(20ms);
  }
  return Fail(Code::kUnavailable, starting.name + " did not start: " + LastWords(starting.log));
}

Result<void> DemoFleet::StartBackend(std::size_t index) {
  const std::string name = Name(index);
  const std::vector<std::string> arguments{"demo-backend", "--port",
                                           std::to_string(places_.backends[index]), "--name", name};
  Result<DemoProcess> backend = DemoProcess::Start(arguments, folder_.File(name + ".log"));
  if (!backend) return std::unexpected(backend.error());
  backends_[index] = std::move(*backend);
  return {};
}

std::string DemoFleet::LastWords(std::string_view log) const {
  std::ifstream file(folder_.File(log));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text.erase(text.find_last_not_of(" \n") + 1);
  constexpr std::size_t kShown = 2000;
  return text.empty() ? "it said nothing"
                      : text.substr(text.size() - std::min(text.size(), kShown));
}

std::map<std::string, std::string> DemoFleet::Names() const {
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < places_.backends.size(); ++i) {
    names["127.0.0.1:" + std::to_string(places_.backends[i])] = "backend " + Name(i);
  }
  names[folder_.path() + "/"] = "";
  return names;
}

Result<std::string> DemoFleet::Do(DemoAction action) {
  const auto done = [](std::string_view verb, const DemoProcess& backend, std::size_t index) {
    return fmt::format("{} backend {} (pid {})", verb, Name(index), backend.pid());
  };
  const auto slow = [this](std::string_view path) {
    return Ask({.port = places_.backends[kSlowed], .method = "POST", .path = path}).status == 200;
  };
  switch (action) {
    case DemoAction::kKill: {
      std::string said = done("killed", backends_[kKilled], kKilled);
      backends_[kKilled].Kill();
      return said;
    }
    case DemoAction::kRestart:
      if (const Result<void> started = StartBackend(kKilled); !started) {
        return std::unexpected(started.error());
      }
      return done("started", backends_[kKilled], kKilled) + " again";
    case DemoAction::kStop:
      backends_[kStopped].Signal(SIGSTOP);
      return done("stopped", backends_[kStopped], kStopped) +
             ": it keeps its connections and says nothing";
    case DemoAction::kContinue:
      backends_[kStopped].Signal(SIGCONT);
      return done("let", backends_[kStopped], kStopped) + " go on";
    case DemoAction::kSlow:
      if (!slow("/slow/400")) return Fail(Code::kUnavailable, "backend a does not answer");
      return done("made", backends_[kSlowed], kSlowed) + " slow: every answer takes 400 ms";
    case DemoAction::kNormal:
      if (!slow("/slow/0")) return Fail(Code::kUnavailable, "backend a does not answer");
      return done("made", backends_[kSlowed], kSlowed) + " fast again";
    case DemoAction::kFlood:
      return std::string("let one caller send 2,000 requests a second; it may send 250");
    case DemoAction::kBadEdit:
      if (const auto saved = folder_.Write(kFile, WithTypo(document_)); !saved) {
        return std::unexpected(saved.error());
      }
      return std::string("saved the document with a typo: `deadlime: 2s`");
    case DemoAction::kGoodEdit:
      if (const auto saved = folder_.Write(kFile, WithTwiceTheLimit(document_)); !saved) {
        return std::unexpected(saved.error());
      }
      return std::string("saved it without the typo, and with twice the limit for a caller");
  }
  return std::string();
}

}  // namespace hale::app
