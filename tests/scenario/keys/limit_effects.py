"""Limits of a route and of a service: kinds, waits, costs, and what a full table of keys does."""

import time

import harness
from bench import calls, differ, effect, fine, gate, service, text_of, timed


def _limited(scenario, count=3, origin=None, **limit):
    gateway = gate(scenario, origin or fine(), route={"limit": [{"rate": "1/h", "burst": 1, **limit}]})
    return [status for status, _ in calls(gateway, count)]


@effect("routes.limit.kind")
def kind(scenario):
    def seen(value):
        gateway = gate(scenario, fine(), route={"limit": [{"kind": value, "rate": "2/s"}]})
        took = [timed(gateway) for _ in range(2)]
        return [status for status, *_ in took], took[1][2] > 0.3, calls(gateway)[0][0]
    # Two at once; the second waits its half second; two, and for a whole second no third.
    return differ(seen, ("token_bucket", "pacing", "sliding_log"), lambda bucket, pacing, log: (
        bucket == log == ([200, 200], False, 429) and pacing[:2] == ([200, 200], True)))


@effect("routes.limit.max_wait")
def max_wait(scenario):
    def second(value):
        gateway = gate(scenario, fine(), route={"limit": [{"kind": "pacing", "rate": "2/s", "max_wait": value}]})
        return [timed(gateway) for _ in range(2)][1]
    return differ(second, ("100ms", "2s"), lambda short, long: (
        short[0] == 429 and short[2] < 0.3 and long[0] == 200 and long[2] > 0.3))


@effect("routes.limit.warm_up")
def warm_up(scenario):
    def passed(value):
        return _limited(scenario, 9, rate="900/h", burst=9, warm_up=value).count(200)
    return differ(passed, ("0s", "1h"), lambda warm, cold: warm == 9 and cold == 3)


@effect("routes.limit.cold")
def cold(scenario):
    def passed(value):
        return _limited(scenario, 9, rate="900/h", burst=9, warm_up="1h", cold=value).count(200)
    return differ(passed, (3, 9), lambda three, nine: three == 3 and nine == 1)


@effect("routes.limit.cost")
def cost(scenario):
    def passed(value):
        return _limited(scenario, origin=fine(b"x" * 5000), rate="10000/h", burst=10000, cost=value)
    return differ(passed, ("requests", "bytes"),
                  lambda requests, of_bytes: requests == [200] * 3 and of_bytes == [200, 200, 429])


@effect("routes.limit.estimate")
def estimate(scenario):
    def passed(value):
        return _limited(scenario, origin=fine(b"x" * 100), rate="10000/h", burst=10000, cost="bytes", estimate=value)
    # What was too much is given back: only the largest does not fit beside what came before.
    return differ(passed, (100, 10000), lambda small, whole: small == [200] * 3 and whole == [200, 429, 429])


@effect("routes.limit.when_full")
def when_full(scenario):
    def seen(value):
        gateway = gate(scenario, fine(), route={"name": "full", "limit": [
            {"rate": "1/h", "burst": 2, "by": "header:x-user", "max_keys": 16, "when_full": value}]})
        passed = [gateway.ask("/", headers={"x-user": f"user{number}"})[0] for number in range(60)].count(200)
        return passed, "new keys are refused" in text_of(gateway, "/journal?limit=1000")
    # 24 places; besides the shared bucket's two; two in each place, but for chance.
    return differ(seen, ("refuse", "share", "evict"), lambda refuse, share, evict: (
        refuse == (24, True) and share == (26, False) and 26 < evict[0] <= 50))


@effect("services.limit")
def service_limit(scenario):
    gateway = gate(scenario, services={"demo": service(fine(), limit=[{"rate": "1/h", "burst": 3}])}, routes=[
        {"match": {"path": "/a"}, "service": "demo", "limit": [{"rate": "1/h", "burst": 1}]},
        {"match": {"path": "/b"}, "service": "demo"}])
    seen = [gateway.ask(path)[0] for path in ("/a", "/a", "/a", "/b", "/b", "/b")]
    # What /a is refused costs /b nothing.
    return seen == [200, 429, 429, 200, 200, 429], seen
