// Command peers measures what libraries in Go take for the calls that bench/policies.py measures of
// Hale, in loops of the same shape. It reads "CASE PEER THREADS MILLISECONDS" lines and answers each
// with a line of JSON; "list" answers with all there is. Python interleaves it with our own benches.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A loop makes so many calls on one thread, on an object that all threads share, and returns a sum
// of what they gave, so that nothing can be left out.
type loop func(calls, thread int) int

type peer struct {
	library string
	make    func() loop // once, at its first measurement
	ready   loop
}

type figures struct {
	Nanoseconds float64 `json:"ns"`     // of the wall clock, divided by the calls of all threads
	CPU         float64 `json:"cpu_ns"` // of all threads, a call
	Allocations float64 `json:"allocs"`
}

var consumed int

// run has so many threads make so many calls each.
func run(l loop, threads, calls int) (figures, time.Duration) {
	runtime.GOMAXPROCS(threads)
	sums := make([]int, threads)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range threads {
		ready.Add(1)
		done.Add(1)
		go func() {
			ready.Done()
			<-start
			sums[i] = l(calls, i)
			done.Done()
		}()
	}
	ready.Wait()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	began := time.Now()
	close(start)
	done.Wait()
	wall := time.Since(began)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	for _, sum := range sums {
		consumed += sum
	}
	all := float64(calls * threads)
	return figures{
		Nanoseconds: float64(wall.Nanoseconds()) / all,
		CPU:         float64(cpu.Nanoseconds()) / all,
		Allocations: float64(int(float64(after.Mallocs-before.Mallocs)/all*100)) / 100,
	}, wall
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure runs long enough to fill the time, as testing.Benchmark does.
func measure(l loop, threads int, wanted time.Duration) figures {
	calls := 1000
	for {
		got, wall := run(l, threads, calls)
		if wall >= wanted*3/4 || calls > 1<<32 {
			return got
		}
		calls = min(calls*100, int(float64(calls)*1.1*float64(wanted)/float64(max(wall, 1)))+1)
	}
}

func main() {
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "list" {
			names := map[string][]string{"go": {runtime.Version()}}
			for name, list := range cases {
				for i := range list {
					names[name] = append(names[name], list[i].library)
				}
			}
			_ = answers.Encode(names)
			continue
		}
		var name, library string
		var threads, milliseconds int
		if _, err := fmt.Sscan(lines.Text(), &name, &library, &threads, &milliseconds); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", lines.Text(), err)
			os.Exit(2)
		}
		found := false
		for i := range cases[name] {
			p := &cases[name][i]
			if p.library != library {
				continue
			}
			if p.ready == nil {
				p.ready = p.make()
			}
			found = true
			_ = answers.Encode(measure(p.ready, threads, time.Duration(milliseconds)*time.Millisecond))
		}
		if !found {
			fmt.Fprintln(os.Stderr, "peers: no such case:", lines.Text())
			os.Exit(2)
		}
	}
}
