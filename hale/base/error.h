#pragma once

#include <expected>
#include <string>
#include <utility>

#include "hale/base/code.h"
#include "hale/base/reason.h"
#include "hale/base/time.h"

namespace hale {

/// Did the remote side act on the call? With idempotency this decides whether it may be sent again.
enum class Executed : std::uint8_t { kNo, kMaybe, kYes };

/// Why something did not work. `reason` is kNone outside a governed call.
/// Not an aggregate, so that it may cross a coroutine under g++ 12.
struct Error {
  Error() = default;
  Error(Code c, std::string text) : code(c), message(std::move(text)) {}
  Error(Reason r, Executed e, std::string text = {})
      : code(Info(r).code), executed(e), reason(r), message(std::move(text)) {}

  Code code = Code::kUnknown;
  Executed executed = Executed::kMaybe;
  Reason reason = Reason::kNone;
  Duration retry_after{0};  ///< how long the refuser asked to be left alone; 0: it did not say
  std::string message;      ///< for a person; may be empty
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for returning an error from a function that returns a Result.
template <class... Args>
std::unexpected<Error> Fail(Args&&... args) {
  return std::unexpected<Error>(Error(std::forward<Args>(args)...));
}

}  // namespace hale
