#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "hale/policy/client_key.h"
#include "hale/policy/fuzz_input.h"
#include "hale/policy/keyed_limiter.h"

// A table too small for its keys against one limiter a key: while nobody is without a place, each
// key is admitted as often; whatever happens, the table keeps its bound and its counts.

namespace hale::policy {
namespace {

void CheckClientKey(std::string_view text) {
  const ClientKey key(text);
  Require(!key.view().empty() && key.view().size() < 52);
  // A key is canonical: keyed again it stays, but for the prefix length, which is no address.
  std::string again(key.view());
  if (again.ends_with("/64")) again.resize(again.size() - 3);
  Require(ClientKey(again).view() == key.view());
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  CheckClientKey({reinterpret_cast<const char*>(data), size});
  if (size < 4) return 0;
  constexpr std::array<Rate, 4> kRates = {Rate{10, 1s}, Rate{7, 1min}, Rate{1, 5s}, Rate{1000, 1s}};
  SimClock clock;
  SeededRandom random(data[0]);
  KeyedLimiterOptions options{.rate = kRates[data[1] % 4], .burst = 1U + data[2] % 4};
  options.max_keys = 16;
  options.when_full =
      std::array{WhenFull::kShare, WhenFull::kEvict, WhenFull::kRefuse}[data[2] / 4 % 3];
  KeyedLimiter table(options, {.clock = clock, .random = &random});
  std::map<int, RateLimiter> alone;
  std::uint64_t refused = 0;
  for (std::size_t i = 3; i + 1 < size; i += 2) {
    const int key = data[i] % 64;
    const std::uint8_t what = data[i + 1];
    if (what >= 250) {
      options.rate = kRates[what % 4];
      table.Apply(options);
      for (auto& [k, limiter] : alone)
        limiter.Apply({.rate = options.rate, .burst = options.burst});
    } else if (what >= 200) {
      clock.Advance(Duration(1ms) * (1 << (what % 16)));
    } else {
      const std::uint64_t weight = 1 + what % 3;
      const RateLimiterOptions one{.rate = options.rate, .burst = options.burst};
      RateLimiter& own =
          alone.try_emplace(key, one, RateLimiterContext{.clock = clock}).first->second;
      const auto admitted = table.Take(std::to_string(key), clock.Now(), weight);
      const auto expected = own.Take(clock.Now(), weight);
      refused += admitted ? 0 : 1;
      // A kept word may be ahead of a forgotten one by a tick of the clock: the table admits less.
      if (table.overflowed() == 0) Require(!admitted || expected);
      if (what >= 150 && admitted && expected) {
        table.Settle(*admitted, what % 8, clock.Now());
        own.Settle(*expected, what % 8, clock.Now());
      }
    }
    Require(table.live(clock.Now()) <= table.cells());
    Require(table.refused() == refused);
  }
  return 0;
}
