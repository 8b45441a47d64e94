#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "hale/telemetry/trace_context.h"

using namespace hale::telemetry;

// Whatever comes, what is sent on is well-formed: it reads as what it was read from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = ParseTraceparent(text)) {
    const auto again = Traceparent(*context);
    if (ParseTraceparent({again.data(), again.size()}) != context) std::abort();
  }
  const std::string clean = CleanTracestate(text);
  if (!TracestateFits(clean)) std::abort();
  if (TracestateFits(text) && CleanTracestate(clean) != clean) std::abort();
  return 0;
}
