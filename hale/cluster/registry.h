#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/cluster/instance.h"

namespace hale::cluster {

/// A place in a registry's stream of changes, as its provider counts. It means something only
/// within its epoch: a registry that was wiped or restored from a copy counts anew, and its
/// provider, which has the proof (a revision went back), then starts the next epoch.
/// Default: before everything. Not an aggregate, so that it may cross a coroutine under g++ 12.
struct Position {
  Position() = default;
  Position(std::uint64_t e, std::uint64_t n, std::string t = {})
      : epoch(e), number(n), token(std::move(t)) {}

  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  ///< never falls within an epoch
  std::string token;         ///< what else the provider must remember; compared by nobody

  friend std::strong_ordering operator<=>(const Position& a, const Position& b) {
    return std::pair(a.epoch, a.number) <=> std::pair(b.epoch, b.number);
  }
  friend bool operator==(const Position& a, const Position& b) { return (a <=> b) == 0; }
};

/// The whole set of one service's instances at a position; in any order, duplicates allowed.
struct Update {
  Update() = default;
  Update(Position at, std::vector<Instance> all, bool proven = true)
      : position(std::move(at)), instances(std::move(all)), authoritative(proven) {}

  Position position;
  std::vector<Instance> instances;
  /// False when the registry cannot vouch for it being complete (just restarted, filtered by
  /// rights, an unsynchronised replica): then it may add, never take away.
  bool authoritative = true;
  /// What the provider found among the instances and could not read as one, in words, with its
  /// place; left out like an instance with a bad address is.
  std::vector<std::string> malformed;
};

/// What one registry knows about one service. The watch loop, back-off, staleness and the
/// protection against empty lists are in `Watcher`: an implementation only answers.
/// Loop-bound: called on, and resumes on, the executor that it was made with; one call at a time.
class Registry {
 public:
  virtual ~Registry() = default;

  /// Waits until the service stands at another place than `after` and tells that. From the default
  /// Position it reads afresh, without waiting for a change and past any cache. It may return
  /// early and say the same again. A stop ends it within a turn, with kCancelled. A failure is
  /// told once; then a provider that notices by itself when asking makes sense may wait for that.
  virtual Task<Result<Update>> Next(Position after) = 0;
};

}  // namespace hale::cluster
