#pragma once

#include <optional>
#include <span>
#include <string>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/net/http_server.h"

namespace hale::mesh {

/// The body of a request on its way through: the first 64 KiB are kept, so that a further attempt
/// can send them again. Loop-bound.
class RequestBody {
 public:
  /// What is kept at most (design: the replay buffer).
  static constexpr std::size_t kKept = std::size_t{64} * 1024;

  /// The body of a request that is being served. The exchange outlives me.
  explicit RequestBody(net::ServerExchange& exchange);
  /// One that is there already.
  explicit RequestBody(std::string whole) : kept_(std::move(whole)), complete_(true) {}

  /// Reads a body that is declared to fit whole, so that it goes out in one call with its head.
  /// An error is the client's: the server has answered it.
  Task<Result<void>> ReadWhole();
  /// The next piece, kept if it fits; empty at the end.
  Task<Result<std::span<const char>>> ReadMore();

  /// All of it has been read and is kept.
  bool whole() const { return complete_ && !dropped_; }
  bool complete() const { return complete_; }
  /// An attempt can still begin with the first byte.
  bool replayable() const { return !dropped_ && !broken_; }
  std::span<const char> kept() const { return kept_; }
  /// Why the client's body could not be read, if so.
  const std::optional<Error>& broken() const { return broken_; }

 private:
  net::ServerExchange* exchange_ = nullptr;
  std::string kept_;
  bool complete_ = false;
  bool dropped_ = false;
  std::optional<Error> broken_;
};

}  // namespace hale::mesh
