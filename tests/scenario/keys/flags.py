"""Flags of `hale load`: what each changes. `--help` lists them; one that is not here is reported."""

import json
import re
import subprocess

import harness
from origin import Origin, answer, ordinary


def load(port, *flags):
    """(exit code, standard output, standard error) of a short run."""
    done = subprocess.run([harness.HALE, "load", f"http://127.0.0.1:{port}/", *flags], capture_output=True, text=True,
                          timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def report(port, *flags):
    usual = [word for pair in (("--rate", "50/s"), ("--duration", "400ms")) if pair[0] not in flags for word in pair]
    return json.loads(load(port, "--json", *usual, *flags)[1])


def _heads(*flags):
    origin = Origin(ordinary())
    report(origin.port, *flags)
    return origin.heads


def _rate(_):
    slow, fast = (report(Origin(ordinary()).port, "--rate", rate)["sent"] for rate in ("10/s", "100/s"))
    return (slow, fast) == (4, 40), (slow, fast)


def _duration(_):
    short, long = (report(Origin(ordinary()).port, "--duration", span)["sent"] for span in ("200ms", "1s"))
    return (short, long) == (10, 50), (short, long)


def _connections(_):
    def opened(limit):
        count = []
        origin = Origin(ordinary(delay=0.05), on_connect=lambda connection: count.append(1))
        report(origin.port, "--connections", limit)
        return len(count)
    return opened("1") == 1 < opened("100"), ""


def _gaps(*flags):
    import time
    times = []

    def behave(connection, _head, _body):
        times.append(time.monotonic())
        connection.sendall(answer())
    report(Origin(behave).port, "--rate", "20/s", "--duration", "2s", *flags)
    times.sort()
    gaps = [after - before for before, after in zip(times, times[1:])]
    mean = sum(gaps) / len(gaps)
    return (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 / mean


def _poisson(_):
    even, random = _gaps(), _gaps("--poisson")
    return even < 0.5 < random, (even, random)


def _method(_):
    heads = _heads("--method", "PUT")
    return all(head.startswith(b"PUT ") for head in heads), heads[:1]


def _path(_):
    heads = _heads("--path", "/q=50%", "--path", "/r")
    return {head.split()[1] for head in heads} == {b"/q", b"/r"}, heads[:1]


def _header(_):
    heads = _heads("--header", "x-q: yes")
    return all(b"x-q: yes" in head.lower() for head in heads), heads[:1]


def _body(_):
    heads = _heads("--method", "POST", "--body", "1kB")
    return all(b"content-length: 1000" in head.lower() for head in heads), heads[:1]


def _timeout(_):
    counts = [report(Origin(ordinary(delay=0.3)).port, "--timeout", span)["transport"]["timeout"] for span in ("100ms", "5s")]
    return counts[0] == 20 and counts[1] == 0, counts


def _seed(_):
    def order(seed):
        return [head.split()[0] for head in _heads("--method", "PUT=50%", "--method", "GET", "--seed", seed, "--connections", "1")]
    return order("1") == order("1") != order("2"), ""


def _slowest(_):
    return len(report(Origin(ordinary()).port, "--slowest", "3")["slowest"]) == 3, ""


def _failures(scenario):
    path = scenario.folder / "failures-q"
    report(Origin(ordinary(status="503 No")).port, "--failures", str(path))
    return len(path.read_text().splitlines()) == 20, ""


def _per_second(_):
    return "seconds" in report(Origin(ordinary()).port, "--per-second"), ""


def _json(_):
    text = load(Origin(ordinary()).port, "--rate", "50/s", "--duration", "200ms")[1]
    return "latency from the intended send time" in text and not text.startswith("{"), text[:100]


def _help(_):
    code, text, _ = load(1, "--help")
    listed = set(re.findall(r"^\s+(?:-h,)?(--[a-z-]+)", text, re.M))
    return code == 0 and "Example" in text and "Exit codes" in text and listed == set(FLAGS), sorted(listed ^ set(FLAGS))


FLAGS = {"--rate": _rate, "--duration": _duration, "--connections": _connections, "--poisson": _poisson,
         "--method": _method, "--path": _path, "--header": _header, "--body": _body, "--timeout": _timeout,
         "--seed": _seed, "--slowest": _slowest, "--failures": _failures, "--per-second": _per_second, "--json": _json,
         "--help": _help}
# Seen only on a terminal.
FLAGS["--quiet"] = lambda _: (load(Origin(ordinary()).port, "--quiet", "--rate", "10/s", "--duration", "200ms")[2] == "", "")
