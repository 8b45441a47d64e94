#include "hale/base/event.h"

#include <array>

namespace hale {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(EventKind::kCount)> kWords = {
    "refused",   "would_refuse",   "retried",         "retry_denied", "raced",       "hedged",
    "joined",    "fell_back",      "delayed",         "opened",       "half_opened", "closed",
    "forced",    "ejected",        "returned",        "stalled",      "panic",       "health",
    "instances", "config_applied", "config_rejected", "bound",        "lifecycle",
};

class Null final : public EventSink {
 public:
  void On(const Event&) noexcept override {}
};

}  // namespace

std::string_view Word(EventKind kind) { return kWords[static_cast<std::size_t>(kind)]; }

EventSink& NullSink() {
  static Null sink;
  return sink;
}

}  // namespace hale
