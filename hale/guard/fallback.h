#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "hale/base/clock.h"
#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/guard/last_good.h"
#include "hale/policy/fallback.h"

namespace hale::guard {

/// What surrounds a fallback. The references outlive it.
struct FallbackContext {
  std::string name = "guard";  ///< in events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
};

/// Gives something else where a call has failed, after the failures that its options name; others
/// stay what they are. It goes around a guard, so that the guard's own refusals count:
///
///     Fallback fallback{{}, {.name = "stock"}};
///     auto stock = fallback.Or(shop.Call(ask), 0);
///
/// Thread-safe.
class Fallback {
 public:
  explicit Fallback(const policy::FallbackOptions& options = {}, FallbackContext context = {})
      : rule_(options), context_(std::move(context)) {}

  /// `otherwise` is a T, something to call with the error that gives a T or a Result<T>, or a
  /// LastGood<T>, which then also remembers what was good. Told (`fell_back`) when it gave a value.
  template <class T, class Otherwise>
  Result<T> Or(Result<T> result, Otherwise&& otherwise) const {
    if constexpr (std::same_as<std::remove_cvref_t<Otherwise>, LastGood<T>>) {
      if (result) otherwise.Remember(*result);
    }
    if (result || !rule_.Covers(result.error())) return result;
    if (rule_.mode() == policy::Mode::kShadow) {
      Tell(result.error(), "shadow: it would have been answered otherwise");
      return result;
    }
    Result<T> instead = Instead<T>(std::forward<Otherwise>(otherwise), result.error());
    if (instead) Tell(result.error(), {});
    return instead;
  }

 private:
  template <class T, class Otherwise>
  static Result<T> Instead(Otherwise&& otherwise, const Error& why) {
    if constexpr (std::invocable<Otherwise&, const Error&>) {
      return otherwise(why);
    } else {
      return std::forward<Otherwise>(otherwise);
    }
  }
  void Tell(const Error& why, std::string_view detail) const {
    // A failure of the called one's own has no reason, but an event has.
    const Reason reason = why.reason != Reason::kNone ? why.reason : Reason::kUpstreamStatus;
    Event event = policy::FellBack(rule_.mode(), reason, detail, context_.clock.Now());
    event.service = context_.name;
    context_.events.On(event);
  }

  const policy::FallbackRule rule_;
  const FallbackContext context_;
};

}  // namespace hale::guard
