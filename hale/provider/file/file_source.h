#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hale/config/source.h"
#include "hale/provider/file/file_watch.h"

namespace hale::provider::file {

/// A document in a file. Half a file is not told of: one that is no YAML or JSON right after it
/// changed is looked at again first. Thread-safe.
class FileSource final : public config::Source {
 public:
  /// The watch outlives this.
  FileSource(FileWatch& watch, std::string path);

  std::string_view name() const override { return path_; }
  Result<std::string> Read() override;
  config::Subscription Watch(std::function<void()> changed) override;
  /// Has it read again now, as after SIGHUP.
  void Refresh() { handle_.Refresh(); }

 private:
  using Subscribers = config::Listeners<>;

  const std::string path_;
  const std::shared_ptr<Subscribers> subscribers_ = std::make_shared<Subscribers>();
  FileWatch::Handle handle_;
};

}  // namespace hale::provider::file
