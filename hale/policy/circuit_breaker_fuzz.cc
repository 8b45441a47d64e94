#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hale/policy/circuit_breaker.h"
#include "hale/policy/circuit_breaker_core.h"
#include "hale/policy/fuzz_input.h"

// Any sequence of (time, call, verdict) leads the core, the shell and a model that keeps every call
// and counts anew each time to the same decisions.

namespace hale::policy {
namespace {

CircuitBreakerOptions PickOptions(Input& input) {
  CircuitBreakerOptions options;
  options.failure_rate = input.Pick(std::array{0.1, 0.5, 0.6, 1.0});
  options.minimum_calls = 1 + input.Byte() % 12U;
  options.consecutive_failures = input.Byte() % 5U;
  options.slow_call = input.Pick(std::array{Duration(0s), Duration(1s), Duration(3s)});
  options.slow_rate = input.Pick(std::array{0.2, 0.5, 1.0});
  options.hung_after = input.Pick(std::array{Duration(0s), Duration(2s), Duration(5s)});
  options.window = input.Pick(std::array{Duration(5s), Duration(10s)});
  options.buckets = input.Pick(std::array{10U, 20U, 32U});
  options.open_for = input.Pick(std::array{Duration(1s), Duration(5s)});
  options.open_max = input.Pick(std::array{Duration(5s), Duration(1min)});
  options.jitter = input.Pick(std::array{0.0, 0.2});
  options.probes = 1 + input.Byte() % 3U;
  options.ramp = input.Pick(std::array{Duration(0s), Duration(10s)});
  return options;
}

struct Call {
  std::uint32_t generation;
  TimePoint sent;
  bool counted;
  std::optional<Outcome> outcome{};
  TimePoint answered{};
};

/// What the documentation says, without any thrift.
class Model {
 public:
  explicit Model(const CircuitBreakerOptions& o) : options(o) {}

  std::optional<std::size_t> Admit(TimePoint now, Duration timeout) {
    Begin(now);
    if (state == CircuitState::kForcedOpen && now >= until) {
      state = CircuitState::kOpen;
      ++generation;
      until = now;
    }
    if (state == CircuitState::kForcedClosed && now >= until) {
      Close(CircuitState::kClosed, TimePoint::min());
    }
    if (state == CircuitState::kForcedOpen) return std::nullopt;
    if (state == CircuitState::kClosed && !PassesRamp(now)) return std::nullopt;
    if (state == CircuitState::kOpen && now < until) return std::nullopt;
    const bool lost = state == CircuitState::kHalfOpen && now >= until;
    if (state == CircuitState::kOpen || lost) {
      state = CircuitState::kHalfOpen;
      ++generation;
      until = now + std::max(options.open_for, timeout);
    }
    if (state == CircuitState::kHalfOpen && Places() >= options.probes) return std::nullopt;
    calls.push_back({generation, state == CircuitState::kClosed ? latest : now,
                     state == CircuitState::kClosed});
    return calls.size() - 1;
  }

  void Answer(std::size_t which, Outcome outcome, TimePoint now) {
    const bool begun = NewBucket(now);
    Call& call = calls[which];
    const bool probe = call.generation == generation && state == CircuitState::kHalfOpen;
    // It is lost, and its place with it, also when the clock steps back from the deadline.
    if (probe && now >= until) return;
    call.outcome = outcome;
    call.answered = now;
    if (probe) {
      if (Bad(call)) {
        ++refailed;
        Open(now);
      } else if (Passed() >= options.probes) {
        Close(CircuitState::kClosed, now + options.ramp);
      }
    } else if (call.generation == generation && state == CircuitState::kClosed) {
      if (outcome != Outcome::kIgnored) row = Bad(call) ? row + 1 : 0;
      if (Bad(call)) Consider(now);
    }
    if (begun) Consider(now);
  }

  void Force(CircuitState to, TimePoint end) { Close(to, end); }

  CircuitBreakerOptions options;
  CircuitState state = CircuitState::kClosed;
  std::uint32_t generation = 1;
  TimePoint until = TimePoint::min();

 private:
  Duration width() const { return options.window / options.buckets; }
  std::int64_t Bucket(TimePoint at) const { return at.time_since_epoch() / width(); }

  bool NewBucket(TimePoint now) {
    const bool begun = Bucket(now) > Bucket(latest);
    latest = std::max(latest, now);
    return begun;
  }
  void Begin(TimePoint now) {
    if (NewBucket(now)) Consider(now);
  }
  bool Slow(const Call& call) const {
    return call.outcome == Outcome::kSuccess && options.slow_call > 0s &&
           call.answered - call.sent >= options.slow_call;
  }
  bool Bad(const Call& call) const { return call.outcome == Outcome::kFailure || Slow(call); }
  bool Good(const Call& call) const { return call.outcome == Outcome::kSuccess && !Slow(call); }
  std::uint64_t Passed() const {
    return static_cast<std::uint64_t>(std::ranges::count_if(calls, [&](const Call& call) {
      return call.generation == generation && !call.counted && Good(call);
    }));
  }
  std::uint64_t Places() const {
    return Passed() +
           static_cast<std::uint64_t>(std::ranges::count_if(calls, [&](const Call& call) {
             return call.generation == generation && !call.counted && !call.outcome;
           }));
  }
  double Share(TimePoint now) const {
    if (now >= until || options.ramp == 0s) return 1;
    return 1 - 0.9 * std::min(1.0, Seconds(until - now) / Seconds(options.ramp));
  }
  bool PassesRamp(TimePoint now) { return Share(now) >= 1 || random.Unit() < Share(now); }

  void Open(TimePoint now) {
    const double grown = Seconds(options.open_for) * std::pow(2.0, std::min(refailed, 62));
    const Duration most = std::max(options.open_for, options.open_max);
    Duration rest = most;
    if (grown < Seconds(most)) rest = options.open_for * (1LL << refailed);
    state = CircuitState::kOpen;
    ++generation;
    row = 0;
    until = now + rest + Scale(rest, options.jitter * random.Unit());
  }
  void Close(CircuitState to, TimePoint end) {
    state = to;
    ++generation;
    row = 0;
    refailed = 0;
    until = end;
  }

  void Consider(TimePoint now) {
    if (state != CircuitState::kClosed) return;
    const std::int64_t first = Bucket(latest) - static_cast<std::int64_t>(options.buckets);
    Duration patience = kForever;
    if (options.slow_call > 0s) patience = options.slow_call;
    if (options.hung_after > 0s) patience = std::min(patience, options.hung_after);
    const bool tells = patience <= width() * 31;
    double good = 0;
    double failed = 0;
    double slow = 0;
    std::int64_t last_good = -1;
    for (const Call& call : calls) {
      if (call.generation != generation || Bucket(call.sent) <= first) continue;
      good += Good(call) ? 1 : 0;
      slow += Slow(call) ? 1 : 0;
      failed += call.outcome == Outcome::kFailure ? 1 : 0;
      if (Good(call)) last_good = std::max(last_good, Bucket(call.sent));
    }
    double hung = 0;
    std::uint32_t hung_row = 0;
    for (const Call& call : calls) {
      if (call.generation != generation || call.outcome || !tells) continue;
      if (Bucket(call.sent) >= Bucket(latest - patience)) continue;
      hung += 1;
      hung_row += Bucket(call.sent) > last_good ? 1 : 0;
    }
    const double all = good + failed + slow + hung;
    double minimum = options.minimum_calls;
    if (Share(now) < 1) {
      minimum = std::min(minimum, std::max<double>(options.probes, minimum * Share(now)));
    }
    const bool rate = all >= minimum && ((failed + slow + hung) / all >= options.failure_rate ||
                                         slow / all >= options.slow_rate);
    const bool in_row =
        options.consecutive_failures > 0 && row + hung_row >= options.consecutive_failures;
    if (rate || in_row) Open(now);
  }

  SeededRandom random{1};
  std::vector<Call> calls;
  TimePoint latest{};
  std::uint32_t row = 0;
  int refailed = 0;
};

/// The three, led through the same sequence.
class Trio {
 public:
  Trio(const CircuitBreakerOptions& options, bool with_shell)
      : options_(options), with_shell_(with_shell) {}

  void Admit(TimePoint now, Duration timeout) {
    const auto expected = model_.Admit(now, timeout);
    const auto ticket = core_.Admit(now, timeout);
    Require(ticket.has_value() == expected.has_value());
    std::optional<CircuitPermit> permit;
    if (with_shell_) {
      const bool hoped = shell_.WouldAdmit(now);
      auto got = shell_.Admit(now, timeout);
      Require(got.has_value() == expected.has_value());
      Require(hoped || !got.has_value());
      if (!got) Require(got.error().reason == ticket.error().reason);
      if (!got) Require(got.error().retry_after == ticket.error().retry_after);
      if (got) permit = std::move(*got);
    }
    if (expected) out_.push_back({*expected, *ticket, std::move(permit)});
  }
  void Answer(std::size_t which, Outcome outcome, TimePoint now) {
    if (out_.empty()) return;
    const auto call = out_.begin() + static_cast<std::ptrdiff_t>(which % out_.size());
    model_.Answer(call->model, outcome, now);
    core_.Record(call->ticket, outcome, now);
    if (call->permit) call->permit->Settle(outcome, now);
    out_.erase(call);
  }
  void Reset() {
    model_.Force(CircuitState::kClosed, TimePoint::min());
    core_.Reset();
    shell_.Reset(TimePoint(1s));
  }
  void Force(CircuitState state, Duration ttl, TimePoint now) {
    model_.Force(state, now + ttl);
    core_.Force(state, now + ttl);
    shell_.Force({.state = state, .ttl = ttl}, now);
  }
  void EvidenceOfLife(TimePoint now) {
    if (model_.state == CircuitState::kOpen) model_.until = std::min(model_.until, now);
    core_.EvidenceOfLife(now);
    shell_.EvidenceOfLife(now);
  }
  void Compare(TimePoint now) const {
    const CircuitWord& word = core_.word();
    Require(word.state == model_.state && word.generation == model_.generation);
    Require(word.until == model_.until);
    if (!with_shell_) return;
    const CircuitStatus status = shell_.Status(now);
    Require(status.state == StateAt(word, now));
    Require(status.generation == word.generation && status.until == word.until);
    const CircuitTotals& t = status.totals;
    const std::uint64_t settled = t.succeeded + t.failed + t.slow + t.ignored + t.late;
    Require(t.admitted == settled + out_.size());
  }

 private:
  struct Out {
    std::size_t model;
    Ticket ticket;
    std::optional<CircuitPermit> permit;
  };
  CircuitBreakerOptions options_;
  bool with_shell_;
  Model model_{options_};
  SeededRandom core_random_{1};
  CircuitBreakerCore core_{options_, core_random_};
  SeededRandom shell_random_{1};
  CircuitBreaker shell_{options_, {.random = &shell_random_}};
  std::vector<Out> out_;
};

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  Input input(data, std::min<std::size_t>(size, 600));
  // The shell refuses without looking at its window, so that a clock that steps back may leave it
  // with a younger one than the core: then only the core is compared.
  const bool steps_back = input.Byte() % 4 == 0;
  Trio trio(PickOptions(input), !steps_back);
  TimePoint now(1h);
  TimePoint latest = now;
  while (!input.empty()) {
    const std::uint8_t op = input.Byte();
    if (op < 90) {
      trio.Admit(now, op % 8 == 0 ? Duration(20s) : Duration(0s));
    } else if (op < 190) {
      trio.Answer(op, static_cast<Outcome>(input.Byte() % 3), now);
    } else if (op < 240) {
      now += input.Pick(std::array{Duration(1ns), Duration(100ms), Duration(500ms), Duration(1s),
                                   Duration(3s), Duration(5s), Duration(11s), Duration(24h)});
      latest = std::max(latest, now);
      // Less than a window: beyond that it is another time.
      if (steps_back && op % 4 == 0) now = std::max(now - 400ms, latest - 4s);
    } else if (op < 244) {
      trio.EvidenceOfLife(now);
    } else if (op < 248) {
      trio.Reset();
    } else {
      const bool open = op % 2 == 0;
      trio.Force(open ? CircuitState::kForcedOpen : CircuitState::kForcedClosed, 2s, now);
    }
    trio.Compare(now);
  }
  return 0;
}
