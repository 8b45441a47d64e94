"""The throttle, and the bulkhead's limit that finds itself."""

import threading
import time

from bench import calls, differ, effect, fine, gate, refused, text_of, together
from origin import Origin, ordinary

BUSY = ordinary(b"busy", status="503 Service Unavailable", headers=("Retry-After: 1",))


def _throttle(key, values, look, expect, **fixed):
    @effect(f"services.throttle.{key}")
    def throttle(scenario):
        return differ(lambda value: look(scenario, {"mode": "enforce", **fixed, key: value}), values, expect)


def _hits(count=200, mix=None):
    """Of `count` calls to a service that turns `mix` of each ten away, how many reached it."""
    def look(scenario, options):
        turn = iter(range(10 ** 9))
        origin = Origin(lambda *request: (BUSY if next(turn) % 10 < (mix or 10) else ordinary())(*request))
        calls(gate(scenario, origin, demo={"throttle": options}), count)
        return origin.hits
    return look


_throttle("mode", ("off", "shadow", "enforce"), _hits(), lambda off, shadow, on: off == shadow == 200 and on < 120)
_throttle("k", (1.1, 10), _hits(mix=6), lambda strict, lax: strict < 180 and lax == 200)
_throttle("max_share", (0.0, 0.9), _hits(), lambda none, most: none == 200 and most < 120)
_throttle("minimum_calls", (20, 1000), _hits(), lambda few, many: few < 120 and many == 200)


def _after_a_while(scenario, options):
    """Calls of a second bout that reach a service that turned all of the first away, three seconds before."""
    origin = Origin(BUSY)
    gateway = gate(scenario, origin, demo={"throttle": options})
    calls(gateway, 100)
    time.sleep(3.2)
    before = origin.hits
    calls(gateway, 20)
    return origin.hits - before


_throttle("window", ("2s", "1min"), _after_a_while, lambda short, long: short == 20 and long < 15)


def _concurrency(key, values, look, expect, **fixed):
    @effect(f"services.concurrency.{key}")
    def concurrency(scenario):
        return differ(lambda value: look(scenario, {"mode": "enforce", **fixed, key: value}), values, expect)


def _places(before, origin):
    """Of thirty calls at once, how many are refused, after `before(gateway)`."""
    def look(scenario, options):
        gateway = gate(scenario, origin(), demo={"bulkhead": {"queue": 0}, "concurrency": options})
        before(gateway)
        return refused(together(gateway, 30))
    return look


def _nothing(_gateway):
    pass


def _busy_for(seconds, users=12):
    """So many users without a pause."""
    def work(gateway):
        end = time.monotonic() + seconds

        def user():
            while time.monotonic() < end:
                calls(gateway)
                time.sleep(0.005)
        threads = [threading.Thread(target=user) for _ in range(users)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return work


def _slow_then(scenario, options):
    """The limit that is found by calls that take 40 ms and then 160 ms, from the gauge."""
    delay = [0.04]
    origin = Origin(lambda *request: ordinary(delay=delay[0])(*request))
    gateway = gate(scenario, origin, demo={"bulkhead": {"queue": 0}, "concurrency": options})
    _busy_for(1.5)(gateway)
    delay[0] = 0.16
    _busy_for(3)(gateway)
    return limit_of(gateway)


def limit_of(gateway):
    for line in text_of(gateway, "/metrics").splitlines():
        if line.startswith("hale_concurrency_limit{"):
            return float(line.split()[-1])
    return None


_concurrency("mode", ("off", "shadow", "enforce"), _places(_nothing, lambda: fine(delay=0.4)),
             lambda off, shadow, on: off == shadow == 0 and on > 5, start=20)
_concurrency("start", (5, 30), _places(_nothing, lambda: fine(delay=0.4)), lambda few, many: few > 15 and many == 0)
_concurrency("min", (4, 18), _places(_busy_for(3), lambda: Origin(ordinary(b"busy", delay=0.02, status="503 Service Unavailable",
                                                                            headers=("Retry-After: 1",)))),
             lambda low, high: low > high + 3, start=20, window="50ms")
_concurrency("kind", ("aimd", "gradient2"), _slow_then, lambda by_drops, by_time: by_drops > by_time, start=10, window="100ms")
_concurrency("tolerance", (1.2, 10), _slow_then, lambda strict, lax: lax > strict, start=10, window="100ms")
_concurrency("slow_call", ("100ms", "0s"), _slow_then, lambda seen, unseen: unseen > seen, kind="aimd", start=10, window="100ms")
_concurrency("window", ("50ms", "1min"), _slow_then, lambda often, never: often != 10 and never == 10, start=10)
