#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "hale/policy/fuzz_input.h"
#include "hale/policy/single_flight.h"

// Any sequence of joining, leaving, landing and giving up leads the table and a plain map from keys
// to sets to the same parts, and everybody who follows is told exactly once, or has left.

namespace {

using hale::policy::Require;
using hale::policy::SingleFlight;

struct Who final : SingleFlight::Follower {
  void OnLanded() noexcept override { ++told; }
  int told = 0;
  std::optional<int> follows;  // as the model has it: the key
};

struct Observer final : SingleFlight::Observer {
  void OnDeserted() noexcept override { ++told; }
  int told = 0;
};

struct Led {
  SingleFlight::Lead lead;
  std::set<Who*> followers;
  std::shared_ptr<Observer> observer;  // set: the leader's caller is gone
  int deserted = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kBound = 3;
  SingleFlight flights({.mode = hale::policy::Mode::kEnforce, .max_keys = kBound});
  std::map<int, Led> led;
  std::array<std::unique_ptr<Who>, 8> all;
  const auto now = hale::TimePoint(std::chrono::hours(1));
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    std::unique_ptr<Who>& who = all[data[i] % all.size()];
    const int key = data[i + 1] % 5;
    switch (data[i] / all.size() % 4) {
      case 0:
      case 1: {
        if (who) break;  // it waits already
        who = std::make_unique<Who>();
        auto joined = flights.Join(std::to_string(key), *who, now);
        if (const auto at = led.find(key); at != led.end()) {
          Require(joined.part == SingleFlight::Part::kFollows);
          at->second.followers.insert(who.get());
          who->follows = key;
          break;
        }
        Require((joined.part == SingleFlight::Part::kLeads) == (led.size() < kBound));
        if (joined.part == SingleFlight::Part::kLeads) led[key].lead = std::move(joined.lead);
        who.reset();
        break;
      }
      case 2: {
        if (!who) break;
        Require(flights.Leave(*who) == who->follows.has_value());
        if (who->follows) {
          Led& flight = led.at(*who->follows);
          flight.followers.erase(who.get());
          // Once for each time that it asked to be told.
          if (flight.observer && flight.followers.empty() && flight.deserted == 0) {
            ++flight.deserted;
          }
        }
        Require(who->told == (who->follows ? 0 : 1));
        who.reset();
        break;
      }
      default: {
        const auto at = led.find(key);
        if (at == led.end()) break;
        Led& flight = at->second;
        if (flight.observer) Require(flight.observer->told == flight.deserted);
        Require(flight.lead.followers() == flight.followers.size());
        if (data[i + 1] >= 128) {
          flight.observer = std::make_shared<Observer>();
          flight.deserted = 0;
          const bool stop = flight.lead.Abandon(flight.observer);
          Require(stop == flight.followers.empty());
          if (!stop) break;
        } else {
          flight.lead.Land({SingleFlight::Landing::kShared, std::make_shared<const int>(key)});
        }
        for (Who* follower : flight.followers) {
          Require(follower->told == 1);
          Require(*static_cast<const int*>(follower->landed().what.get()) == key);
          follower->follows.reset();
        }
        led.erase(at);
      }
    }
    Require(flights.flights() == led.size());
  }
  for (const auto& who : all) {
    if (who) Require(flights.Leave(*who) == who->follows.has_value());
  }
  return 0;
}
