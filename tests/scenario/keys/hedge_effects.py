"""Hedging, deadlines that cannot be met, and the fleet that shares a reserve."""

import itertools
import time

from bench import calls, differ, effect, failing, fine, gate, service, timed
from origin import Origin, ordinary


@effect("node.fleet")
def fleet(scenario):
    """The retries that a reserve of 60 allows alone, and as one of 60 processes that another service lists."""
    def hits(name):
        origin = failing()
        demo = service(origin, retry={"backoff_base": "1ms", "backoff_max": "1ms", "budget": {"reserve": 60}})
        peers = {"instances": {"static": [f"127.0.0.1:{port}" for port in range(1, 61)]}}
        calls(gate(scenario, services={"demo": demo, "peers": peers}, node={"service": "edge", "fleet": name}), 50)
        return origin.hits
    return differ(hits, ("", "peers"), lambda alone, many: alone - many >= 40)


def _slow_now_and_then():
    """Every 25th answer takes half a second."""
    turn = itertools.count(1)

    def answer(*request):
        return ordinary(delay=0.5 if next(turn) % 25 == 0 else 0.01)(*request)
    return answer


def _hedge(key, values, look, expect, **fixed):
    @effect(f"services.hedge.{key}")
    def hedge(scenario):
        def seen(value):
            answer = _slow_now_and_then()
            options = {"mode": "enforce", "minimum_calls": 20, "percentile": 0.9, **fixed, key: value}
            gateway = gate(scenario, Origin(answer), Origin(answer), demo={
                "hedge": options, "retry": {"budget": {"ratio": 1.0}}})
            calls(gateway, 60)  # until it knows how long calls take
            time.sleep(1.1)
            return look(gateway)
        return differ(seen, values, expect)


def _slowest(gateway):
    return max(timed(gateway)[2] for _ in range(60))


_hedge("mode", ("off", "shadow", "enforce"), _slowest, lambda off, shadow, on: min(off, shadow) > 0.45 and on < 0.4)
_hedge("percentile", (0.9, 0.9999), _slowest, lambda usual, never: usual < 0.4 and never > 0.45)
_hedge("floor", ("1ms", "10s"), _slowest, lambda low, high: low < 0.4 and high > 0.45)
_hedge("minimum_calls", (20, 100_000), _slowest, lambda few, many: few < 0.4 and many > 0.45)


@effect("services.hedge.early_failure")
def early_failure(scenario):
    """How long a call takes whose first attempt fails at once, while back-offs are long."""
    def took(value):
        bad, late = [], []
        origin = Origin(lambda *request: (ordinary(b"no", status="503 Service Unavailable") if bad and bad.pop()
                                          else ordinary(delay=late.pop() if late else 0.05))(*request))
        gateway = gate(scenario, origin, demo={
            "hedge": {"mode": "enforce", "minimum_calls": 20, "early_failure": value},
            "retry": {"backoff_base": "30s", "backoff_max": "30s", "budget": {"reserve": 1000}}})
        calls(gateway, 40)
        time.sleep(1.1)
        calls(gateway)
        slow = 0
        for _ in range(4):
            bad[:] = [True]
            slow = max(slow, timed(gateway, timeout=3)[2] if value == "at_once" else 3)
        late[:] = [0.5]
        calls(gateway)  # it is hedged by nobody: there is no other instance
        return slow
    return differ(took, ("retry", "at_once"), lambda waits, once: waits > 1 > once)


def _in_time(key, values, expect, **fixed):
    @effect(f"services.deadline.{key}")
    def in_time(scenario):
        """Of 40 calls that have 20 ms, how many a service that takes 100 ms gets to see."""
        def hits(value):
            origin = fine(delay=0.1)
            options = {"mode": "enforce", "minimum_calls": 3, "most_refused": 1.0, **fixed, key: value}
            gateway = gate(scenario, origin, demo={"deadline": options}, listen={"trust": "mesh"})
            calls(gateway, 20)
            time.sleep(1.1)
            calls(gateway)
            before = origin.hits
            calls(gateway, 40, headers={"hale-timeout-ms": "20"})
            return origin.hits - before
        return differ(hits, values, expect)


_in_time("mode", ("shadow", "enforce"), lambda shadow, on: shadow == 40 and on == 0)
_in_time("minimum_calls", (3, 100_000), lambda few, many: few == 0 and many == 40)
_in_time("most_refused", (0.2, 1.0), lambda fifth, all_of_them: fifth > 25 and all_of_them == 0)


@effect("services.deadline.quantile")
def quantile(scenario):
    """A third of the answers come at once: 50 ms are enough for that many, and not for half of them."""
    def hits(value):
        turn = itertools.count()
        origin = Origin(lambda *request: ordinary(delay=0.0 if next(turn) % 3 == 0 else 0.1)(*request))
        gateway = gate(scenario, origin, listen={"trust": "mesh"}, demo={
            "deadline": {"mode": "enforce", "minimum_calls": 3, "most_refused": 1.0, "quantile": value}})
        calls(gateway, 30)
        time.sleep(1.1)
        calls(gateway)
        before = origin.hits
        calls(gateway, 10, headers={"hale-timeout-ms": "50"})
        return origin.hits - before
    return differ(hits, (0.05, 0.5), lambda low, high: low == 10 and high == 0)
