"""Metrics that move: each gauge by a case that changes it, and each decision of a policy by some gateway of the run."""

import os
import re
import signal
import socket
import threading
import time

import harness
from bench import QUIET, calls, failing, fine, gate, service, text_of
from origin import Origin, ordinary

METRICS = {}  # the families that a case makes move -> the case
SHOWN = set()  # the families of all gateways of the run
COUNTED = set()  # the series of counters and histograms that have counted in one of them

# family -> why nothing here can move it.
STILL = {
    "hale_node": "it is 1, and its labels are looked at by node.service",
    "process_max_fds": "a limit of the machine",
}

# What each policy decides in a gateway, as it is counted by hale_policy_decisions_total; but for what cannot be brought
# about here: to stop accepting (no file descriptor is left), to forget instances (10,000 have left), to follow an order
# on a circuit (it is given in C++).
DECISIONS = {
    "bulkhead": {"refused", "would_refuse", "bound"},
    "circuit_breaker": {"opened", "half_opened", "closed", "would_refuse"},
    "concurrency_limit": {"would_refuse"},
    "connections": {"bound"},
    "deadline": {"refused", "would_refuse"},
    "fallback": {"fell_back", "would_refuse"},
    "health": {"health", "bound"},
    "hedge": {"hedged", "retry_denied", "would_refuse"},
    "http": {"refused"},
    "last_good": {"bound"},
    "outlier": {"ejected", "returned", "panic", "would_refuse"},
    "pick": {"refused"},
    "process": {"lifecycle"},
    "rate_limiter": {"refused", "would_refuse", "delayed", "bound"},
    "retry": {"retried", "retry_denied", "would_refuse"},
    "single_flight": {"joined", "refused", "would_refuse", "bound", "delayed"},
    "stall": {"stalled", "raced", "would_refuse"},
    "throttle": {"refused", "would_refuse"},
    "watcher": {"instances"},
}

BUSY = ordinary(b"busy", status="503 Service Unavailable", headers=("Retry-After: 1",))
TURNS = {"kind": "round_robin", "slow_start": "0s"}


def samples(text):
    """{name{labels}: value} of an exposition."""
    found = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)", text, re.M)
    return {name: float(value) for name, value in found}


def look(gateway):
    return samples(text_of(gateway, "/metrics"))


def family(sample):
    return re.sub(r"_(bucket|count|sum)$", "", sample.split("{")[0])


def labels(sample):
    return dict(re.findall(r'(\w+)="(.*?)"', sample))


def note(gateways):
    """Adds what they have shown and counted to what the run has."""
    for gateway in gateways:
        text = text_of(gateway, "/metrics")
        kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, re.M))
        SHOWN.update(kinds)
        COUNTED.update(name for name, value in samples(text).items() if value and kinds[family(name)] != "gauge")


def metric(*names):
    """Marks a case: it yields what one gateway's metrics were at different times, or those of different gateways."""
    def mark(case):
        def moves(scenario):
            first, *later = case(scenario)
            moved = {family(sample) for seen in later for sample in seen if seen[sample] != first.get(sample, 0)}
            still = [name for name in names if name not in moved]
            return not still, f"{', '.join(still)} stood still" if still else ""
        METRICS[names] = moves
        return moves
    return mark


def busy(gateway, users=6, seconds=2.0, **more):
    """Looks before, while so many users call without a pause, and after."""
    yield look(gateway)
    end = time.monotonic() + seconds

    def user():
        while time.monotonic() < end:
            calls(gateway, **more)
            time.sleep(0.005)
    threads = [threading.Thread(target=user) for _ in range(users)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        yield look(gateway)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    yield look(gateway)


@metric("hale_bulkhead_in_flight", "hale_bulkhead_waiting", "hale_bulkhead_stands", "hale_bulkhead_mean_call_seconds",
        "hale_bulkhead_partition_in_flight", "hale_bulkhead_partition_waiting")
def bulkhead(scenario):
    """One call after the other for six users of a tenant: the queue never is empty."""
    tenants = {"by": "header:x-tenant", "shares": {"gold": 1.0}}
    yield from busy(gate(scenario, fine(delay=0.05), demo={
        "bulkhead": {"limit": 1, "max_wait": "5s", "order": "codel", "partitions": tenants}}), headers={"x-tenant": "gold"})


@metric("hale_concurrency_limit")
def concurrency(scenario):
    yield from busy(gate(scenario, fine(delay=0.04), demo={
        "concurrency": {"mode": "enforce", "start": 10, "window": "100ms"}}), users=12)


@metric("hale_throttle_probability", "hale_retry_budget_balance")
def throttle(scenario):
    yield from busy(gate(scenario, Origin(BUSY), demo={"throttle": {"mode": "enforce"}}), users=2)


@metric("hale_circuit_state")
def circuit(scenario):
    gateway = gate(scenario, failing(), demo={"breaker": {}})
    yield look(gateway)
    calls(gateway, 6)
    yield look(gateway)


@metric("hale_instance_up", "hale_instance_deviation", "hale_instance_factor")
def unlike(scenario):
    """Of the three in the first group one is slow and left out, so that some calls go to the next group."""
    tiers = ((fine(delay=0.2), "0"), (fine(), "0"), (fine(), "0"), (fine(), "1"))
    static = [{"address": f"127.0.0.1:{origin.port}", "metadata": {"tier": tier}} for origin, tier in tiers]
    yield from busy(gate(scenario, services={"demo": {
        **QUIET, "instances": {"static": static},
        "balance": {**TURNS, "priority": {"metadata": "tier", "threshold": 1.0}},
        "outlier": {"mode": "enforce", "deviation": {"minimum_calls": 5}}}}))


@metric("hale_connections", "hale_loop_lag_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes",
        "process_open_fds")
def load(scenario):
    """It is stopped for a moment now and then, and some of that in the middle of a turn of a loop."""
    gateway = gate(scenario, fine())
    yield look(gateway)
    running = harness.load(scenario, gateway.port, f"load-{gateway.port}", rate="500/s", duration=3,
                           extra=("--method", "POST", "--body", "100kB"))
    while running.alive():
        for _ in range(10):
            gateway.process.signal(signal.SIGSTOP)
            time.sleep(0.01)
            gateway.process.signal(signal.SIGCONT)
            time.sleep(0.01)
        yield look(gateway)


@metric("process_threads", "process_start_time_seconds", "process_virtual_memory_bytes")
def processes(scenario):
    for loops in (1, 3):
        yield look(gate(scenario, fine(), node={"service": "edge", "loops": loops}))
        time.sleep(0.1)


@metric("hale_config_revision", "hale_config_rejected", "hale_config_reloads_total")
def document(scenario):
    gateway = gate(scenario, fine())
    yield look(gateway)
    gateway.write({**gateway.document, "routes": "wrong"})
    harness.wait_until(lambda: gateway.metric("hale_config_rejected") == 1)
    yield look(gateway)
    gateway.write({**gateway.document, "switches": {"on": True}})
    harness.wait_until(lambda: gateway.metric("hale_config_rejected") == 0)
    yield look(gateway)


@metric("hale_log_lines_queued", "hale_log_lines_total")
def unread(scenario):
    """Nobody reads the access log."""
    path = scenario.folder / "nobody-reads"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    gateway = gate(scenario, fine(), telemetry={"access_log": str(path)})
    yield look(gateway)
    harness.load(scenario, gateway.port, f"load-{gateway.port}", rate="500/s", duration=2).wait(20)
    yield look(gateway)
    os.close(reader)


@metric("hale_metrics_overflow_total", "hale_journal_entries_total", "hale_journal_overwritten_total")
def many_services(scenario):
    """The journal has 4096 entries and a counter 1000 series; each of these services fails, and its circuit, which rests
    for a moment only, half-opens and opens at each call: two entries that are not folded, and three series."""
    origin = failing()
    breaker = {"consecutive_failures": 1, "open_for": "10ms", "open_max": "10ms"}
    sick = {f"s{number}": service(origin, breaker=breaker) for number in range(400)}
    gateway = gate(scenario, services=sick, routes=[{"match": {"path": f"/{name}"}, "service": name} for name in sick])
    yield look(gateway)
    paths = [word for name in sick for word in ("--path", f"/{name}")]
    harness.load(scenario, gateway.port, f"load-{gateway.port}", rate="1500/s", duration=3, extra=paths).wait(20)
    yield look(gateway)


@metric("hale_limit_decisions_total")
def limits(scenario):
    gateway = gate(scenario, fine(), route={"limit": [{"rate": "1/h"}]})
    yield look(gateway)
    calls(gateway, 2)
    yield look(gateway)


@metric("hale_policy_decisions_total")
def rare(scenario):
    """What no key brings about: a call has less time than the answer takes that another one fetches for both; more
    checks hang than may be under way."""
    gateway = gate(scenario, fine(delay=0.6), listen={"trust": "mesh"}, route={"single_flight": {"mode": "enforce"}})
    yield look(gateway)
    leader = threading.Thread(target=calls, args=(gateway,))
    leader.start()
    time.sleep(0.1)
    calls(gateway, headers={"hale-timeout-ms": "200"})
    leader.join()
    yield look(gateway)
    with socket.create_server(("0.0.0.0", 0), backlog=1024) as silent:
        port = silent.getsockname()[1]
        hung = {"instances": {"static": [f"127.0.{i}.{j}:{port}" for i in (1, 2) for j in range(1, 180)]}, **QUIET,
                "health": {"path": "/", "interval": "100ms", "timeout": "10s"}}
        gateway = gate(scenario, services={"demo": hung})
        harness.wait_until(lambda: gateway.metric("hale_policy_decisions_total", policy="health", decision="bound"), 5)
        yield look(gateway)
