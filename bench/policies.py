"""Nanoseconds per call of the policies, ours and those of libraries in Go, interleaved in one run.

At several threads a figure is the wall clock divided by the calls of all of them, as benchmarks in Go count it."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import machine

BUILD = machine.TOP / "build" / "release"
PEERS = machine.TOP / "bench" / "peers"

# A case, the bench that is ours, and at how many threads on one object it is measured.
CASES = [
    ("circuit_breaker/call", "hale_policy_bench", "AdmitAndSettle<CoarseClock>/real_time", (1, 2)),
    ("rate_limiter/take", "hale_policy_bench", "Take<CoarseClock>/1000000000/real_time", (1, 2)),
    ("rate_limiter/keyed_1m", "hale_policy_bench", "TakeByOneOfAMillion/real_time", (1, 2)),
    ("bulkhead/enter", "hale_policy_bench", "EnterAndLeave/real_time", (1, 2)),
    ("retry/backoff", "hale_policy_bench", "BackoffDelay", (1,)),
    ("pipeline/five", "hale_guard_bench", "PipelineOfFive<CoarseClock>/real_time", (1, 2)),
    ("pipeline/five_steady", "hale_guard_bench", "PipelineOfFive<SteadyClock>/real_time", (1, 2)),
]
# With the precise clock, which is what a Guard reads unless it is given another.
SAME_PEERS = {"pipeline/five_steady": "pipeline/five"}
SCALE = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
OURS = "hale"


def bench_rows(binary, *flags):
    """The iterations that a micro bench reports."""
    done = subprocess.run([str(BUILD / binary), "--benchmark_format=json", *flags], capture_output=True, text=True,
                          check=True)
    rows = json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"]
    return [row for row in rows if row.get("run_type") == "iteration"]


def measure_ours(binary, bench, threads, seconds):
    name = f"{bench}/threads:{threads}" if "real_time" in bench else bench
    pattern = f"^{re.escape(name)}$"
    rows = bench_rows(binary, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}")
    if len(rows) != 1:
        sys.exit(f"bench/run policies: {binary} has no {name}")
    row = rows[0]
    scale = SCALE[row["time_unit"]]
    return {"ns": row["real_time"] * scale, "cpu_ns": row["cpu_time"] * scale, "allocs": row.get("allocs")}


class Peers:
    """The program in bench/peers, which measures what it is asked for, line by line: a process a case, so that no
    library's collector walks through what another case keeps."""

    def __init__(self, go):
        self.binary = BUILD / "peers"
        environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
        subprocess.run([*go, "build", "-o", str(self.binary), "."], cwd=PEERS, env=environment, check=True, stdout=sys.stderr)
        self.processes = {}
        self.cases = self.ask("", "list")
        self.go = self.cases.pop("go")[0]

    def ask(self, case, line):
        if case not in self.processes:
            self.processes[case] = subprocess.Popen([str(self.binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                    text=True)
        process = self.processes[case]
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            sys.exit("bench/run policies: the peers have ended")
        return json.loads(answer)

    def measure(self, case, library, threads, seconds):
        return self.ask(case, f"{case} {library} {threads} {round(seconds * 1000)}")

    def close(self):
        for process in self.processes.values():
            process.stdin.close()
            process.wait()


def wanted_go():
    """The version of Go that go.mod asks for."""
    return tuple(int(part) for part in re.search(r"^go (\d+)\.(\d+)", (PEERS / "go.mod").read_text(), re.M).groups())


def find_go():
    """The command of a Go that can build the peers: the installed one, or a newer one that it fetches as a module."""
    go = shutil.which("go") or (shutil.which("/usr/local/go/bin/go"))
    if go is None:
        return None
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in re.search(r"go(\d+)\.(\d+)", said).groups())
    if version >= wanted_go():
        return [go]
    # Debian 12 has 1.19, which knows no GOTOOLCHAIN; but toolchains are modules like any other.
    module = f"golang.org/toolchain@v0.0.1-go{wanted_go()[0]}.{wanted_go()[1]}.12.linux-amd64"
    done = subprocess.run([go, "mod", "download", "-json", module], capture_output=True, text=True,
                          env={**os.environ, "GO111MODULE": "on", "GOFLAGS": ""}, cwd="/", check=False)
    if done.returncode != 0:
        print(f"bench/run policies: {said.strip()} is too old and {module} is not to be had", file=sys.stderr)
        return None
    root = BUILD / "go"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(json.loads(done.stdout)["Dir"], root)
    # Modules carry no modes.
    for program in [*(root / "bin").iterdir(), *(path for path in (root / "pkg" / "tool").rglob("*") if path.is_file())]:
        program.chmod(0o755)
    os.environ["GOROOT"] = str(root)
    return [str(root / "bin" / "go")]


def compare(arguments, peers):
    """Rounds over all cases, threads and libraries, so that each meets the same weather."""
    cases = [case for case in CASES if re.search(arguments.only, case[0])]
    figures = {}
    for _ in range(arguments.repetitions):
        for case, binary, bench, counts in cases:
            libraries = peers.cases.get(SAME_PEERS.get(case, case), []) if peers else []
            for threads in counts:
                row = figures.setdefault((case, threads), {})
                row.setdefault(OURS, []).append(measure_ours(binary, bench, threads, arguments.seconds))
                for library in libraries:
                    got = peers.measure(SAME_PEERS.get(case, case), library, threads, arguments.seconds)
                    row.setdefault(library, []).append(got)
    return figures


def spread(rounds, key):
    return machine.spread([figures[key] for figures in rounds])


def record(case, threads, rows, library):
    """One line of --json."""
    ours = rows[OURS]
    line = {"case": case, "threads": threads, "ns": round(spread(ours, "ns")["median"], 1)}
    if library:
        theirs = rows[library]
        ratio = machine.spread([peer["ns"] / own["ns"] for own, peer in zip(ours, theirs)])
        line |= {"peer": library, "peer_ns": round(spread(theirs, "ns")["median"], 1), "ratio": round(ratio["median"], 2),
                 "ratio_low": round(ratio["low"], 2), "ratio_high": round(ratio["high"], 2)}
    line |= {"ns_low": round(spread(ours, "ns")["low"], 1), "ns_high": round(spread(ours, "ns")["high"], 1),
             "cpu_ns": round(spread(ours, "cpu_ns")["median"], 1)}
    if library:
        # Of the processors' time alone: what else runs on the machine does not move it.
        line["cpu_ratio"] = round(spread(theirs, "cpu_ns")["median"] / line["cpu_ns"], 2)
    if ours[0]["allocs"] is not None:
        line["allocs"] = round(spread(ours, "allocs")["median"], 3)
    if library:
        line |= {"peer_ns_low": round(spread(theirs, "ns")["low"], 1), "peer_ns_high": round(spread(theirs, "ns")["high"], 1),
                 "peer_cpu_ns": round(spread(theirs, "cpu_ns")["median"], 1),
                 "peer_allocs": spread(theirs, "allocs")["median"]}
    return line


def cell(line, prefix=""):
    allocations = line.get(f"{prefix}allocs")
    text = f"{line[f'{prefix}ns']:.1f} ({line[f'{prefix}ns_low']:.1f}-{line[f'{prefix}ns_high']:.1f})"
    text += f", cpu {line[f'{prefix}cpu_ns']:.1f}"
    return text + (f", {allocations:g} allocs" if allocations is not None else "")


def print_lines(lines, as_json):
    if as_json:
        for line in lines:
            print(json.dumps(line))
        return
    print("| case | threads | hale, ns | peer | peer, ns | ratio | of cpu |\n|---|---|---|---|---|---|---|")
    for line in lines:
        ratio = f"{line['ratio']:.2f} ({line['ratio_low']:.2f}-{line['ratio_high']:.2f})" if "peer" in line else ""
        theirs = cell(line, "peer_") if "peer" in line else ""
        print(f"| `{line['case']}` | {line['threads']} | {cell(line)} | {line.get('peer', '')} | {theirs} | {ratio} | {line.get('cpu_ratio', '')} |")


def print_all(arguments):
    """Each micro bench of the policies, ours alone."""
    figures = {}
    for binary in ("hale_policy_bench", "hale_guard_bench"):
        for row in bench_rows(binary, f"--benchmark_repetitions={arguments.repetitions}",
                              "--benchmark_enable_random_interleaving=true", f"--benchmark_min_time={arguments.seconds}"):
            threads = row.get("threads", 1)
            name = re.sub(r"/(threads:\d+|real_time)", "", row["name"])
            figures.setdefault(name, {}).setdefault(threads, []).append(row["real_time"] * SCALE[row["time_unit"]])
    print("\n| ours, ns | 1 thread | 2 threads |\n|---|---|---|")
    for name, by_threads in sorted(figures.items()):
        spreads = {threads: machine.spread(values) for threads, values in by_threads.items()}
        cells = [f"{s['median']:.1f} ({s['low']:.1f}-{s['high']:.1f})" if (s := spreads.get(n)) else "-" for n in (1, 2)]
        print(f"| `{name}` | {cells[0]} | {cells[1]} |")


def main():
    parser = argparse.ArgumentParser(prog="bench/run policies", description=__doc__)
    parser.add_argument("--only", default=".", help="a regular expression of cases")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds over all cases")
    parser.add_argument("--seconds", type=float, default=0.1, help="of each measurement")
    parser.add_argument("--all", action="store_true", help="each micro bench of ours as well")
    parser.add_argument("--json", action="store_true", help="a line of JSON a case, number of threads and peer")
    arguments = parser.parse_args()
    go = find_go()
    if go is None:
        print("bench/run policies: there is no Go of at least %d.%d: ours alone" % wanted_go(), file=sys.stderr)
    peers = Peers(go) if go else None
    lines = [record(case, threads, rows, library)
             for (case, threads), rows in compare(arguments, peers).items()
             for library in ([name for name in rows if name != OURS] or [None])]
    print_lines(lines, arguments.json)
    if arguments.all and not arguments.json:
        print_all(arguments)
    about = {**machine.describe(), "go": peers.go if peers else "none"}
    if peers:
        peers.close()
    print(json.dumps({"bench": "policies", **about}) if arguments.json else
          "\n" + ", ".join(f"{key} {value}" for key, value in about.items()))


if __name__ == "__main__":
    main()
