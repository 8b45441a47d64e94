#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hale/base/executor.h"
#include "hale/cluster/registry.h"
#include "hale/provider/file/file_watch.h"

namespace hale::provider::file {

/// The instances of a service in a file (`ParseInstanceList`), followed as it changes. It is read
/// on the watch's thread. A file that is gone or makes no sense is a failure, told once; then Next
/// waits until it is mended. Loop-bound.
class FileRegistry final : public cluster::Registry {
 public:
  /// Both outlive this, the executor by one turn.
  FileRegistry(Executor& executor, FileWatch& watch, std::string path);
  ~FileRegistry() override;

  Task<Result<cluster::Update>> Next(cluster::Position after) override;

 private:
  struct Inbox;
  struct Desk;
  class Clerk;

  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<Desk> desk_;
  FileWatch::Handle handle_;
};

}  // namespace hale::provider::file
