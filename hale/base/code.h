#pragma once

#include <cstdint>
#include <string_view>

namespace hale {

/// The gRPC status codes (grpc.github.io/grpc/core/md_doc_statuscodes.html), with their numbers.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// The name in lower case, such as `deadline_exceeded`. Pure.
std::string_view Word(Code code);

}  // namespace hale
