#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hale/net/http_head.h"

namespace hale::mesh {

/// The rest of a body whose instance broke in the middle, to be asked for at another one
/// (RFC 9110 §13.1.5, §14.2). Only of a 200 to a GET without Range or If-Range that has a length
/// and a strong entity tag: that is what says that the same bytes come from everywhere. Not
/// thread-safe.
class BodyResume {
 public:
  /// Nothing when the answer cannot be continued.
  static std::optional<BodyResume> Of(const net::RequestHead& request,
                                      const net::ResponseHead& answer);

  /// Makes `request` ask for what follows the first `relayed` bytes.
  void Ask(net::RequestHead& request, std::uint64_t relayed) const;
  /// Makes it what it was, for those who look at it afterwards: its client asked for all.
  static void Unask(net::RequestHead& request);
  /// How many bytes at the start of `answer`'s body have been relayed already: none of a 206 that
  /// begins where the first one broke, `relayed` of a 200 that has all again. Nothing when it is
  /// something else.
  std::optional<std::uint64_t> Overlap(const net::ResponseHead& answer,
                                       std::uint64_t relayed) const;

 private:
  BodyResume(std::string tag, std::uint64_t length) : tag_(std::move(tag)), length_(length) {}
  std::string tag_;
  std::uint64_t length_;
};

}  // namespace hale::mesh
