"""Policies of a service: breaker, retry, bulkhead, outlier, stall, timeouts, connections."""

import socket
import threading
import time

import harness
from bench import alternating, calls, differ, effect, failing, fine, gate, refused, timed, together
from origin import Origin, ordinary

BAD = ordinary(b"no", status="503 Service Unavailable")


def _breaker(key, values, look, expect, **fixed):
    @effect(f"services.breaker.{key}")
    def breaker(scenario):
        return differ(lambda value: look(scenario, {"jitter": 0, "ramp": "0s", **fixed, key: value}), values, expect)


def _hits(make, count=30):
    """Of `count` calls, how many reached the instance."""
    def look(scenario, options):
        origin = make()
        calls(gate(scenario, origin, demo={"breaker": options}), count)
        return origin.hits
    return look


def _half():
    return alternating(ordinary(), BAD)


def _half_slow():
    return alternating(ordinary(), ordinary(delay=0.06))


COUNTED = {"consecutive_failures": 0, "minimum_calls": 10}
_breaker("mode", ("off", "shadow", "enforce"), _hits(failing), lambda off, shadow, on: off == shadow == 30 and on == 5)
_breaker("failure_rate", (0.4, 0.9), _hits(_half), lambda low, high: low < 15 and high == 30, **COUNTED)
_breaker("minimum_calls", (10, 1000), _hits(failing), lambda few, many: few == 10 and many == 30, consecutive_failures=0)
_breaker("consecutive_failures", (3, 0), _hits(failing), lambda three, off: three == 3 and off == 30, minimum_calls=1000)
_breaker("slow_call", ("30ms", "0s"), _hits(lambda: fine(delay=0.06)), lambda on, off: on < 15 and off == 30, **COUNTED)
_breaker("slow_rate", (0.3, 1.0), _hits(_half_slow), lambda low, high: low < 20 and high == 30, slow_call="30ms",
         failure_rate=1.0, **COUNTED)


def _hung(scenario, options):
    gateway = gate(scenario, fine(delay=2.5), demo={"breaker": options})
    for _ in range(6):
        threading.Thread(target=lambda: gateway.ask("/"), daemon=True).start()
    time.sleep(1.5)  # calls are counted by the second in which they went out
    return calls(gateway)[0][1]


_breaker("hung_after", ("200ms", "0s"), _hung, lambda on, off: on != "" and off == "", minimum_calls=5)


def _two_bouts(scenario, options):
    origin = failing()
    gateway = gate(scenario, origin, demo={"breaker": options})
    calls(gateway, 6)
    time.sleep(1.4)
    calls(gateway, 14)
    return origin.hits


_breaker("window", ("1s", "30s"), _two_bouts, lambda short, long: short == 16 and long == 10, **COUNTED)


def _after_a_rest(rest):
    def look(scenario, options):
        origin = failing()
        gateway = gate(scenario, origin, demo={"breaker": options})
        calls(gateway, 10)
        before, end = origin.hits, time.monotonic() + rest
        while time.monotonic() < end:
            calls(gateway)
            time.sleep(0.02)
        return origin.hits - before
    return look


_breaker("open_for", ("100ms", "30s"), _after_a_rest(0.8), lambda short, long: short >= 1 and long == 0)
_breaker("open_max", ("100ms", "1h"), _after_a_rest(2.5), lambda low, high: low >= 10 > high, open_for="100ms")


def _recovering(after_rest):
    """Opens a circuit on an origin that then is well, lets it rest, and looks."""
    def look(scenario, options):
        bad = [True]
        origin = Origin(lambda *request: (BAD if bad else ordinary(delay=0.2))(*request))
        gateway = gate(scenario, origin, demo={"breaker": {"open_for": "300ms", **options}})
        calls(gateway, 10)
        bad.clear()
        time.sleep(0.5)
        return after_rest(gateway)
    return look


_breaker("probes", (1, 8), _recovering(lambda gateway: refused(together(gateway, 8))),
         lambda one, eight: one >= 6 and eight == 0)


def _ramping(scenario, options):
    """The calls, of 60, that go to an instance whose circuit has just closed again."""
    bad = [True]
    origin = Origin(lambda *request: (BAD if bad else ordinary())(*request))
    gateway = gate(scenario, origin, fine(), demo={"balance": {"kind": "round_robin", "slow_start": "0s"},
                                                   "breaker": {"open_for": "200ms", "probes": 1, **options}})
    calls(gateway, 20)
    bad.clear()
    time.sleep(0.4)
    before = origin.hits
    harness.wait_until(lambda: calls(gateway, 4) and origin.hits > before, 3)
    before = origin.hits
    calls(gateway, 60)
    return origin.hits - before


_breaker("ramp", ("0s", "10min"), _ramping, lambda none, long: none >= 22 and long <= 15)


def _retry(key, values, look, expect, **fixed):
    @effect(f"services.retry.{key}")
    def retry(scenario):
        return differ(lambda value: look(scenario, {**fixed, key: value}), values, expect)


def _tries(status="503 Service Unavailable", **more):
    def look(scenario, options):
        origin = failing(status)
        gate(scenario, origin, demo={"retry": options}, listen={"trust": "mesh"}).ask("/", **more)
        return origin.hits
    return look


def _took(scenario, options):
    return timed(gate(scenario, failing(), demo={"retry": options}), timeout=15)[2]


_retry("mode", ("off", "shadow", "enforce"), _tries(), lambda off, shadow, on: off == shadow == 1 and on == 3)
_retry("attempts", (2, 4), _tries(), lambda two, four: two == 2 and four == 4)
# Full jitter draws from zero: nine waits below 1 s add up to less than 1 s three times in a million;
# below 1, 2, 4 ... 256 ms they cannot reach 0.6 s, below 50 ms not 0.5 s.
_retry("backoff_base", ("1ms", "1s"), _took, lambda short, long: short < 0.8 and long > 1, attempts=10, backoff_max="1s")
_retry("backoff_max", ("50ms", "1s"), _took, lambda short, long: short < 0.6 and long > 0.7, attempts=10, backoff_base="50ms")
_retry("max_elapsed", ("10ms", "0s"), _tries(), lambda short, none: short < 10 and none == 10,
       attempts=10, backoff_base="40ms", backoff_max="40ms")
_retry("retry_on_status", ([503], [500]), _tries("500 Oops"), lambda other, listed: other == 1 and listed == 3)
_retry("retried_request", ("final", "retry"), _tries(headers={"hale-attempt": "2"}),
       lambda final, retry: final == 1 and retry == 3)


def _budget(key, values, expect, **fixed):
    @effect(f"services.retry.budget.{key}")
    def budget(scenario):
        def hits(value):
            origin = failing()
            calls(gate(scenario, origin, demo={"retry": {
                "backoff_base": "1ms", "backoff_max": "1ms", "budget": {**fixed, key: value}}}), 50)
            return origin.hits
        return differ(hits, values, expect)


_budget("mode", ("off", "enforce"), lambda off, on: off == 150 and on < 80)
_budget("ratio", (0.01, 1.0), lambda low, high: low < 60 and high > 80, reserve=1)
_budget("reserve", (1, 1000), lambda low, high: low < 65 and high == 150)
_budget("fleet_size", (1, 1000), lambda alone, many: alone - many >= 40, reserve=60)


def _bulkhead(key, values, expect, count=4, **fixed):
    @effect(f"services.bulkhead.{key}")
    def bulkhead(scenario):
        def seen(value):
            gateway = gate(scenario, fine(delay=0.4), demo={"bulkhead": {**fixed, key: value}})
            return refused(together(gateway, count))
        return differ(seen, values, expect)


_bulkhead("mode", ("off", "shadow", "enforce"), lambda off, shadow, on: off == shadow == 0 and on == 3, limit=1, queue=0)
_bulkhead("limit", (1, 4), lambda one, four: one == 3 and four == 0, queue=0)
_bulkhead("queue", (0, 10), lambda none, some: none == 1 and some == 0, count=2, limit=1, max_wait="2s")
_bulkhead("max_wait", ("20ms", "2s"), lambda short, long: short == 1 and long == 0, count=2, limit=1)


def _outlier(key, values, expect, **fixed):
    """Two of four fail: how often they are called in 160 calls. An open circuit alone allows five each, and a
    few more where the set is judged late."""
    @effect(f"services.outlier.{key}")
    def outlier(scenario):
        def hits(value):
            bad = [failing(), failing()]
            gateway = gate(scenario, *bad, fine(), fine(), demo={
                "balance": {"kind": "round_robin", "slow_start": "0s"}, "breaker": {"open_for": "1h"},
                "outlier": {"mode": "enforce", "interval": "0s", "panic": 0.0, **fixed, key: value}})
            for _ in range(160):  # the set is judged ten times a second
                calls(gateway)
                time.sleep(0.01)
            return sum(origin.hits for origin in bad)
        return differ(hits, values, expect)


_outlier("mode", ("off", "shadow", "enforce"), lambda off, shadow, on: max(off, shadow) <= 30 < on)
_outlier("max_sick", (0.2, 0.5), lambda one, two: two <= 30 < one)
_outlier("interval", ("0s", "1h"), lambda at_once, never: at_once <= 30 < never, max_sick=0.5)
_outlier("panic", (0.0, 1.0), lambda none, always: none <= 30 < always, max_sick=0.5)


def _dead(key, values, expect, down_for, **fixed):
    @effect(f"services.outlier.{key}")
    def dead(scenario):
        """Whether an instance that refused for a while is used again within 1.5 s of its return."""
        def returns(value):
            port = harness.free_port()
            gateway = gate(scenario, fine(), port, demo={"retry": {"attempts": 3, "budget": {"mode": "off"}},
                                                         "balance": {"kind": "round_robin", "slow_start": "0s"},
                                                         "outlier": {"mode": "enforce", **fixed, key: value}})
            end = time.monotonic() + down_for
            while time.monotonic() < end:
                calls(gateway)
                time.sleep(0.02)
            back = Origin(ordinary(), port=port)
            return harness.wait_until(lambda: calls(gateway) and back.hits > 0, 1.5)
        return differ(returns, values, expect)


_dead("rest", ("200ms", "1h"), lambda short, long: short and not long, down_for=0.5, max_rest="1h")
_dead("max_rest", ("200ms", "1h"), lambda low, high: low and not high, down_for=4.0, rest="200ms")


@effect("services.stall.mode")
def stall(scenario):
    def slowest(mode):
        hung = Origin(lambda *_: time.sleep(20))
        gateway = gate(scenario, fine(), hung, demo={"stall": {"mode": mode}, "outlier": {"mode": "enforce"},
                                                     "retry": {"attempts": 2}, "timeout": {"per_try": "4s"}})
        took = []

        def user():  # a stall shows by the answers that peers give meanwhile
            end = time.monotonic() + 3
            while time.monotonic() < end:
                took.append(timed(gateway, timeout=10)[2])
                time.sleep(0.01)
        users = [threading.Thread(target=user) for _ in range(4)]
        for one in users:
            one.start()
        for one in users:
            one.join()
        return max(took)
    return differ(slowest, ("off", "shadow", "enforce"),
                  lambda off, shadow, on: off > 3.5 and shadow > 3.5 and on < 2.5)


@effect("services.timeout.connect")
def connect(scenario):
    full = socket.socket()  # its backlog is full, so that connecting neither succeeds nor is refused
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())

    def took(value):
        return timed(gate(scenario, full.getsockname()[1], demo={"timeout": {"connect": value}}))[2]
    return differ(took, ("200ms", "2s"), lambda short, long: short < 1 < 1.8 < long)


@effect("services.timeout.per_try")
def per_try(scenario):
    def took(value):
        return timed(gate(scenario, fine(delay=1), demo={"timeout": {"per_try": value}}))
    return differ(took, ("200ms", "3s"), lambda short, long: short[0] == 504 and short[2] < 0.9 and long[0] == 200)


@effect("services.connections")
def connections(scenario):
    def seen(value):
        peak = []
        open_now = set()

        def connected(connection):
            open_now.add(id(connection))
            peak.append(len(open_now))
        origin = Origin(ordinary(delay=0.3), on_connect=connected)
        together(gate(scenario, origin, demo={"connections": value}), 5)
        return len(peak)
    return differ(seen, (1, 100), lambda one, many: one == 1 and many == 5)
