"""Nanoseconds per call of each policy, at 1 and 2 threads, from the micro benches beside each stem."""

import argparse
import json
import os
import re
import subprocess
import sys

import machine


def run(pattern, repetitions, seconds):
    command = [str(machine.TOP / "build" / "release" / "hale_policy_bench"), f"--benchmark_filter={pattern}",
               "--benchmark_format=json", f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_min_time={seconds}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"]


def main():
    parser = argparse.ArgumentParser(prog="bench/run policies", description=__doc__)
    parser.add_argument("--only", default=".", help="a regular expression of bench names")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each repetition")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not os.path.exists(machine.TOP / "build" / "release" / "hale_policy_bench"):
        sys.exit("there is no bench of a policy yet")
    scale = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
    figures = {}
    for row in run(arguments.only, arguments.repetitions, arguments.seconds):
        if row.get("run_type") != "iteration":
            continue
        threads = row.get("threads", 1)
        name = re.sub(r"/(threads:\d+|real_time)", "", row["name"])
        # Wall time over the calls of all threads together, as `go test -bench` counts it too.
        figures.setdefault(name, {}).setdefault(threads, []).append(row["real_time"] * scale[row["time_unit"]])
    if not arguments.json:
        print(f"{'ns per call (median, quartiles)':48} {'1 thread':>24} {'2 threads':>24}")
    for name, by_threads in figures.items():
        spreads = {threads: machine.spread(values) for threads, values in by_threads.items()}
        if arguments.json:
            print(json.dumps({"bench": "policies", "name": name, "ns": spreads}))
        else:
            cells = [f"{s['median']:.1f} ({s['low']:.1f}-{s['high']:.1f})" if (s := spreads.get(n)) else "-" for n in (1, 2)]
            print(f"{name:48} {cells[0]:>24} {cells[1]:>24}")
    print(json.dumps({"bench": "policies", **machine.describe()}) if arguments.json else
          ", ".join(f"{key} {value}" for key, value in machine.describe().items()))


if __name__ == "__main__":
    main()
