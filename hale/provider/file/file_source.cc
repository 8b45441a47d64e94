#include "hale/provider/file/file_source.h"

#include <chrono>
#include <thread>
#include <utility>

#include "hale/config/node.h"
#include "hale/provider/file/read_file.h"

namespace hale::provider::file {
namespace {

Result<std::string> ReadDocument(const std::string& path) {
  return ReadFile(path, config::kMaxDocument);
}

bool MakesSense(const std::string& path) {
  const auto text = ReadDocument(path);
  return text && !config::HasErrors(config::ParseTree(*text, path).problems);
}

}  // namespace

FileSource::FileSource(FileWatch& watch, std::string path) : path_(std::move(path)) {
  // Subscribers are told of changes, and what is there when the watch begins is none.
  handle_ = watch.Watch(path_, [path = path_, subscribers = subscribers_](Patience patience) {
    const Sense sense = MakesSense(path) ? Sense::kMade : Sense::kNone;
    if (sense == Sense::kMade || patience == Patience::kNone) subscribers->Tell();
    return sense;
  });
}

Result<std::string> FileSource::Read() {
  constexpr int kTries = 5;
  auto text = ReadDocument(path_);
  for (int i = 1; i < kTries && !text && text.error().code == Code::kAborted; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    text = ReadDocument(path_);
  }
  return text;
}

config::Subscription FileSource::Watch(std::function<void()> changed) {
  return subscribers_->Add(std::move(changed));
}

}  // namespace hale::provider::file
