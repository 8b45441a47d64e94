package main

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/ratelimit"
	"golang.org/x/time/rate"
)

// Beyond any that is asked for, so that nobody waits and nobody is refused.
const plenty = 1_000_000_000

var errFailed = errors.New("failed")

// fails says of each call whether it fails: 1 % of them, in random order.
var fails = func() []bool {
	dice := rand.New(rand.NewPCG(1, 2))
	verdicts := make([]bool, 4096)
	for i := range verdicts {
		verdicts[i] = dice.Float64() < 0.01
	}
	return verdicts
}()

func failsAt(i, thread int) bool { return fails[(i+thread*1777)%len(fails)] }

func permits(breaker circuitbreaker.CircuitBreaker[int]) loop {
	return func(calls, thread int) int {
		admitted := 0
		for i := range calls {
			if !breaker.TryAcquirePermit() {
				continue
			}
			admitted++
			if failsAt(i, thread) {
				breaker.RecordFailure()
			} else {
				breaker.RecordSuccess()
			}
		}
		return admitted
	}
}

func taking(take func() bool) loop {
	return func(calls, _ int) int {
		taken := 0
		for range calls {
			if take() {
				taken++
			}
		}
		return taken
	}
}

// Each library with what it has nearest to ours.
var cases = map[string][]peer{
	"circuit_breaker/call": {
		{library: "gobreaker", make: func() loop {
			breaker := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
				Interval: 10 * time.Second, BucketPeriod: time.Second})
			return func(calls, thread int) int {
				sum := 0
				for i := range calls {
					result, err := breaker.Execute(func() (int, error) {
						if failsAt(i, thread) {
							return 0, errFailed
						}
						return 1, nil
					})
					if err == nil {
						sum += result
					}
				}
				return sum
			}
		}},
		// Counts of calls: it reads no clock.
		{library: "failsafe-go/last-100", make: func() loop {
			return permits(circuitbreaker.NewBuilder[int]().WithFailureThresholdRatio(50, 100).Build())
		}},
		{library: "failsafe-go/10s", make: func() loop {
			return permits(circuitbreaker.NewBuilder[int]().WithFailureRateThreshold(0.5, 20, 10*time.Second).Build())
		}},
	},
	"rate_limiter/take": {
		{library: "uber-ratelimit", make: func() loop {
			limiter := ratelimit.New(plenty)
			return taking(func() bool { return !limiter.Take().IsZero() })
		}},
		{library: "x-time-rate", make: func() loop {
			limiter := rate.NewLimiter(plenty, plenty)
			return taking(limiter.Allow)
		}},
		{library: "failsafe-go/bursty", make: func() loop {
			limiter := ratelimiter.NewBursty[int](plenty, time.Second)
			return taking(limiter.TryAcquirePermit)
		}},
	},
	"rate_limiter/keyed_1m": {
		// No library: what the documentation of x/time/rate leaves to its users.
		{library: "x-time-rate/sync.Map", make: func() loop {
			keys := make([]string, 1_000_000)
			var limiters sync.Map
			for i := range keys {
				keys[i] = "client-" + strconv.Itoa(i)
				limiters.Store(keys[i], rate.NewLimiter(plenty, plenty))
			}
			return func(calls, thread int) int {
				dice := rand.New(rand.NewPCG(uint64(thread), 3))
				taken := 0
				for range calls {
					limiter, _ := limiters.Load(keys[dice.IntN(len(keys))])
					if limiter.(*rate.Limiter).Allow() {
						taken++
					}
				}
				return taken
			}
		}},
	},
	"bulkhead/enter": {
		{library: "failsafe-go", make: func() loop {
			places := bulkhead.New[int](1024)
			return taking(func() bool {
				entered := places.TryAcquirePermit()
				if entered {
					places.ReleasePermit()
				}
				return entered
			})
		}},
	},
	"retry/backoff": {
		// Its state is of one caller: one a thread.
		{library: "cenkalti-backoff", make: func() loop {
			return func(calls, _ int) int {
				policy := backoff.NewExponentialBackOff()
				sum := time.Duration(0)
				for range calls {
					sum += policy.NextBackOff()
				}
				return int(sum)
			}
		}},
	},
	"pipeline/five": {
		{library: "failsafe-go", make: func() loop { return executed(append(four(), timeout.New[int](15*time.Second))) }},
		// A timeout of its own is a timer and a context: most of what its five cost.
		{library: "failsafe-go/no-timeout", make: func() loop { return executed(four()) }},
	},
}

func four() []failsafe.Policy[int] {
	return []failsafe.Policy[int]{
		retrypolicy.NewBuilder[int]().WithMaxRetries(2).Build(),
		circuitbreaker.NewBuilder[int]().WithFailureRateThreshold(0.5, 20, 10*time.Second).Build(),
		ratelimiter.NewBursty[int](plenty, time.Second),
		bulkhead.New[int](1024),
	}
}

func executed(policies []failsafe.Policy[int]) loop {
	executor := failsafe.With(policies...)
	return func(calls, _ int) int {
		sum := 0
		for range calls {
			result, err := executor.Get(func() (int, error) { return 1, nil })
			if err == nil {
				sum += result
			}
		}
		return sum
	}
}
