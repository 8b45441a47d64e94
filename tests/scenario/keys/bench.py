"""Gateways made for one experiment each, and what the experiments have in common."""

import itertools
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from origin import Origin, ordinary  # noqa: E402

EFFECTS = {}  # key of the document -> the experiment that shows its effect
MADE = threading.local()  # .gates: those of the experiment that runs in this thread
QUIET = {"breaker": {"mode": "off"}, "retry": {"mode": "off"}, "stall": {"mode": "off"}, "outlier": {"mode": "off"}}
_names = itertools.count()


def effect(*keys):
    """Marks an experiment: it returns (whether the key changed what was seen, what was seen)."""
    def mark(experiment):
        for key in keys:
            EFFECTS[key] = experiment
        return experiment
    return mark


def service(*origins, **options):
    ports = [origin if isinstance(origin, int) else origin.port for origin in origins]
    return {"instances": {"static": [f"127.0.0.1:{port}" for port in ports]}, **QUIET, **options}


def gate(scenario, *origins, route=None, services=None, routes=None, wait="/health", **more):
    """A gateway in front of the origins; `demo={...}` are options of the service."""
    demo = more.pop("demo", {})
    name = f"gateway{next(_names)}"
    more.setdefault("telemetry", {"access_log": "off"})
    more.setdefault("drain", {"wait": "0s", "timeout": "0s"})
    made = harness.Gateway(
        scenario, services or {"demo": service(*origins, **demo)},
        routes or [{"match": {"path": "/"}, "service": "demo", **(route or {})}], name=name, wait=wait, **more)
    MADE.gates.append(made)
    return made


def calls(gateway, count=1, path="/", **more):
    """(status, reason) of calls one after another."""
    out = []
    for _ in range(count):
        status, headers, _ = gateway.ask(path, **more)
        out.append((status, headers.get("hale-reason", "")))
    return out


def together(gateway, count, path="/", **more):
    """(status, reason) of calls at the same time."""
    out = []
    threads = [threading.Thread(target=lambda: out.extend(calls(gateway, 1, path, **more))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


def refused(answers):
    return sum(1 for _, reason in answers if reason)


def timed(gateway, path="/", **more):
    began = time.monotonic()
    status, headers, _ = gateway.ask(path, **more)
    return status, headers.get("hale-reason", ""), time.monotonic() - began


def failing(status="503 Service Unavailable", **more):
    return Origin(ordinary(b"no", status=status, **more))


def alternating(good, bad):
    """Behaves by turns."""
    turn = itertools.count()
    return Origin(lambda *request: (bad if next(turn) % 2 else good)(*request))


def fine(body=b"ok", **more):
    return Origin(ordinary(body, **more))


def text_of(gateway, path="/status"):
    return harness.ask(gateway.admin, path)[2].decode(errors="replace")


def differ(what, values, expect):
    """Runs `what(value)` for each value; true when `expect(*results)`."""
    seen = [what(value) for value in values]
    return bool(expect(*seen)), " / ".join(f"{value}: {result}" for value, result in zip(values, seen))


def dumps(value):
    return json.dumps(value)
