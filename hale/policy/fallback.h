#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/reason_words.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"

namespace hale::policy {

/// After which failures something else is answered. What else is the caller's affair.
struct FallbackOptions {
  Mode mode = Mode::kEnforce;
  /// Empty: all that say that the service is not available: those with a word for a document.
  std::vector<Reason> after = {};
  /// Of `upstream_status`, those that count. 500 is a bug's answer: it is no fallback's affair
  /// unless it is listed.
  std::vector<int> after_status = {502, 503, 504};

  friend bool operator==(const FallbackOptions&, const FallbackOptions&) = default;
};

constexpr auto Fields(Type<FallbackOptions>) {
  using O = FallbackOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (only says so) or enforce"},
      Field{"after", &O::after, "reasons; empty: all that say that the service is not available"},
      Field{"after_status", &O::after_status, "which statuses of a service upstream_status means"}};
}

/// Whether a call that failed may be answered with something else (graceful degradation: B. Beyer
/// et al., "Site Reliability Engineering", 2016, ch. 22). A client's own fault never is, nor is a
/// client that has gone. Immutable. Pure.
class FallbackRule {
 public:
  FallbackRule() = default;  ///< off
  explicit FallbackRule(const FallbackOptions& options);

  /// `status` is of a service's answer, for kUpstreamStatus. False in mode off.
  bool Covers(Reason reason, int status = 0) const;
  /// An error without a reason is of the called one itself: kUnavailable counts as
  /// `upstream_status`, kDeadlineExceeded as `upstream_timeout`, no other does.
  bool Covers(const Error& error) const;
  Mode mode() const { return mode_; }

 private:
  Mode mode_ = Mode::kOff;
  std::uint64_t after_ = 0;  // a bit for each reason
  std::vector<int> after_status_;
};

/// What is told when a call was answered with something else, or would have been in shadow. `how`
/// says with what; the caller adds names. Pure.
Event FellBack(Mode mode, Reason reason, std::string_view how, TimePoint now);

}  // namespace hale::policy
