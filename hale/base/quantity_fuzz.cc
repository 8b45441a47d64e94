#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hale/base/quantity.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// Whatever is accepted prints to what parses to the same value; whatever is not has a message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto span = hale::ParseDuration(text)) {
    Require(*span >= hale::Duration::zero() && hale::ParseDuration(hale::Print(*span)) == *span);
  } else {
    Require(!span.error().message.empty());
  }
  if (const auto rate = hale::ParseRate(text)) {
    Require(rate->per > hale::Duration::zero());
    const auto again = hale::ParseRate(hale::Print(*rate));
    Require(again.has_value() && *again == *rate);
  }
  if (const auto size_read = hale::ParseSize(text)) {
    const auto again = hale::ParseSize(hale::Print(*size_read));
    Require(again.has_value() && *again == *size_read);
  }
  if (const auto share = hale::ParseShare(text)) {
    const auto again = hale::ParseShare(hale::PrintShare(*share));
    Require(again.has_value() && *again == *share);
  }
  return 0;
}
