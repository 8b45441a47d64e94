#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hale/base/reason.h"
#include "hale/base/time.h"

namespace hale::net {

/// The judgement on a message that breaks a rule: what it is answered with, and why.
struct Verdict {
  int status = 400;
  Reason reason = Reason::kProtocol;
  std::string_view sentence;  ///< static, for a person
};

/// Bounds of a head.
struct HeadLimits {
  std::size_t bytes = 32 * 1024;  ///< start line and fields; beyond: 431
  std::size_t fields = 100;       ///< beyond: 431
  std::size_t target = 8 * 1024;  ///< of the request line (RFC 9112 §3 asks for 8,000); beyond: 414
};

}  // namespace hale::net
