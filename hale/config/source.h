#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/config/subscription.h"

namespace hale::config {

/// The largest document that is read: far above what people write, far below what hurts.
inline constexpr std::size_t kMaxDocument = std::size_t{1} << 20;

/// Where a document comes from: a file, a key in a config center. Says what is there now and when
/// to look again; judging the text, last-good and revisions are the Updater's, written once.
/// Implementations are thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  /// What a person knows it by: `hale.yaml`, `consul:config/edge`. Problems begin with it.
  virtual std::string_view name() const = 0;

  /// The whole text as it is now. May block: it is called off the loops. An error when it cannot
  /// be had or is larger than kMaxDocument, of which no more than that is then read.
  virtual Result<std::string> Read() = 0;

  /// Calls `changed` from any thread each time that the text may have changed since Watch was
  /// called, at least once for the last of several changes. The source outlives the handle.
  virtual Subscription Watch(std::function<void()> changed) = 0;
};

}  // namespace hale::config
