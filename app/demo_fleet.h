#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/demo_document.h"
#include "app/demo_folder.h"
#include "app/demo_process.h"
#include "app/demo_story.h"
#include "hale/base/error.h"

namespace hale::app {

/// Three backends and a gateway in front of them: processes of their own on free ports, with their
/// document and logs in a private folder. All gone when I am. Not thread-safe.
class DemoFleet final {
 public:
  /// Comes back when all of them answer. Fails when one of them ends, with what it said, when it is
  /// silent for ten seconds, or when `stop` is set. Without `policies` the gateway only forwards.
  static Result<DemoFleet> Start(bool policies, const std::atomic<bool>& stop);

  std::uint16_t port() const { return places_.port; }
  std::uint16_t admin() const { return places_.admin; }
  /// Whether the gateway decides anything.
  bool policies() const { return places_.policies; }
  /// `127.0.0.1:9001` → `backend a`; the folder of the document → nothing.
  std::map<std::string, std::string> Names() const;
  /// Does it; what was done, as a sentence.
  Result<std::string> Do(DemoAction action);
  /// The gateway is there: it may not be, and then nothing that follows means anything.
  bool Alive() { return gateway_.Alive(); }

 private:
  explicit DemoFleet(DemoFolder folder) : folder_(std::move(folder)) {}
  Result<void> StartAll(const std::atomic<bool>& stop);
  Result<void> StartBackend(std::size_t index);
  struct Starting {
    DemoProcess& process;
    std::string name;
    std::string log;  ///< its file's name
  };
  /// Fails as soon as the process has ended, with what it said.
  Result<void> WaitFor(const Starting& starting, const std::function<bool()>& answers,
                       const std::atomic<bool>& stop);
  std::string LastWords(std::string_view log) const;

  DemoFolder folder_;
  DemoPlaces places_;
  std::string document_;
  std::array<DemoProcess, 3> backends_;
  DemoProcess gateway_;
};

}  // namespace hale::app
