"""Routes: which requests they take, how long, how often; and where the instances come from."""

import itertools
import time

import harness
from bench import calls, differ, effect, failing, fine, gate, service, text_of, timed
from origin import Origin

_numbers = itertools.count()


@effect("routes.name")
def name(scenario):
    gateway = gate(scenario, fine(), route={"name": "route-q"})
    gateway.ask("/")
    return harness.wait_until(lambda: 'route-q"' in text_of(gateway, "/metrics"), 2), ""


def _match(key, value, fits, other):
    @effect(f"routes.match.{key}")
    def match(scenario):
        gateway = gate(scenario, fine(), routes=[{"match": {"path": "/", key: value}, "service": "demo"}])
        seen = gateway.ask(**{"path": "/", **fits})[0], gateway.ask(**{"path": "/", **other})[0]
        return seen[0] == 200 and seen[1] == 404, seen


_match("host", "a.example", {"headers": {"host": "a.example"}}, {"headers": {"host": "b.example"}})
_match("path", "/orders/", {"path": "/orders/7"}, {"path": "/orders2"})
_match("method", ["PUT"], {"method": "PUT"}, {"method": "GET"})
_match("header", {"x-plan": "gold"}, {"headers": {"x-plan": "gold"}}, {"headers": {"x-plan": "tin"}})


@effect("routes.service")
def route_service(scenario):
    one, two = fine(b"one"), fine(b"two")
    gateway = gate(scenario, services={"one": service(one), "two": service(two)}, routes=[
        {"match": {"path": "/a"}, "service": "one"}, {"match": {"path": "/"}, "service": "two"}])
    seen = gateway.ask("/a")[2], gateway.ask("/b")[2]
    return seen == (b"one", b"two"), seen


@effect("routes.deadline")
def deadline(scenario):
    def took(value):
        return timed(gate(scenario, fine(delay=1), route={"deadline": value}))
    return differ(took, ("200ms", "5s"), lambda short, long: short[0] == 504 and short[2] < 0.9 and long[0] == 200)


def _limited(scenario, count=3, **limit):
    gateway = gate(scenario, fine(), route={"limit": [{"rate": "1/h", "burst": 1, **limit}]})
    return [status for status, _ in calls(gateway, count)]


@effect("routes.limit.mode")
def limit_mode(scenario):
    return differ(lambda value: _limited(scenario, mode=value), ("off", "shadow", "enforce"),
                  lambda off, shadow, enforce: off == shadow == [200] * 3 and enforce == [200, 429, 429])


@effect("routes.limit.rate")
def limit_rate(scenario):
    def after_a_rest(value):
        gateway = gate(scenario, fine(), route={"limit": [{"rate": value, "burst": 1}]})
        first = calls(gateway)[0][0]
        time.sleep(0.2)
        return first, calls(gateway)[0][0]
    return differ(after_a_rest, ("1/h", "50/s"), lambda slow, fast: slow == (200, 429) and fast == (200, 200))


@effect("routes.limit.burst")
def limit_burst(scenario):
    return differ(lambda value: _limited(scenario, burst=value), (1, 2),
                  lambda one, two: one == [200, 429, 429] and two == [200, 200, 429])


@effect("routes.limit.by")
def limit_by(scenario):
    def two_users(value):
        gateway = gate(scenario, fine(), route={"limit": [{"rate": "1/h", "burst": 1, "by": value}]})
        return [gateway.ask("/", headers={"x-user": user})[0] for user in "ab"]
    return differ(two_users, ("all", "header:x-user"), lambda one, other: one == [200, 429] and other == [200, 200])


@effect("routes.limit.max_keys")
def limit_max_keys(scenario):
    def remembers(value):
        gateway = gate(scenario, fine(), route={"limit": [
            {"rate": "1/h", "burst": 2, "by": "header:x-user", "max_keys": value}]})
        for number in range(400):
            gateway.ask("/", headers={"x-user": f"user{number}"})
        return "bound" in text_of(gateway, "/journal?limit=1000")
    return differ(remembers, (16, 65536), lambda few, many: few and not many)


@effect("routes.idempotent")
def idempotent(scenario):
    def hits(value):
        origin = failing()
        gateway = gate(scenario, origin, demo={"retry": {"attempts": 3}}, route={"idempotent": value})
        gateway.ask("/", method="POST", body="x")
        return origin.hits
    return differ(hits, ("auto", "no", "yes"), lambda auto, no, yes: auto == no == 1 and yes == 3)


@effect("services.instances.static.address")
def static(scenario):
    seen = gate(scenario, fine(b"static")).ask("/")[2]
    return seen == b"static", seen


def _shares(scenario, kind, weights):
    origins = [fine(), fine()]
    gateway = gate(scenario, services={"demo": service(*origins, balance={"kind": kind, "slow_start": "0s"}, instances={
        "static": [{"address": f"127.0.0.1:{origin.port}", "weight": weight} for origin, weight in zip(origins, weights)]})})
    calls(gateway, 40)
    return [origin.hits for origin in origins]


@effect("services.instances.static.weight")
def weight(scenario):
    return differ(lambda value: _shares(scenario, "weighted", value), ([1, 1], [9, 1]),
                  lambda even, nine: abs(even[0] - even[1]) <= 4 and nine[0] >= 32)


@effect("services.balance.kind")
def balance(scenario):
    return differ(lambda value: _shares(scenario, value, [9, 1]), ("round_robin", "weighted"),
                  lambda plain, weighted: abs(plain[0] - plain[1]) <= 4 and weighted[0] >= 32)


@effect("services.instances.static.zone", "services.instances.static.metadata")
def zone(scenario):
    seen = text_of(gate(scenario, services={"demo": service(instances={"static": [
        {"address": f"127.0.0.1:{fine().port}", "zone": "zone-q", "metadata": {"tier": "gold-q"}}]})}))
    return "zone-q" in seen and "gold-q" in seen, seen[:300]


def _listed(scenario, *origins):
    """A file of instances as the document's `instances.file` reads it."""
    path = scenario.folder / f"instances{next(_numbers)}.yaml"

    def write(*listed):
        scenario.write(path.name, "".join(f"- 127.0.0.1:{origin.port}\n" for origin in listed))
    write(*origins)
    return path, write


@effect("services.instances.file")
def file(scenario):
    old, new = fine(b"old"), fine(b"new")
    path, write = _listed(scenario, old)
    gateway = gate(scenario, services={"demo": service(instances={"file": str(path)})})
    harness.wait_until(lambda: gateway.ask("/")[2] == b"old", 3)
    write(new, old)
    return harness.wait_until(lambda: gateway.ask("/")[2] == b"new", 5), ""


@effect("services.balance.slow_start")
def slow_start(scenario):
    def share(value):
        old, new = fine(), fine()
        path, write = _listed(scenario, old)
        gateway = gate(scenario, services={"demo": service(instances={"file": str(path)}, balance={
            "kind": "weighted", "slow_start": value})})
        harness.wait_until(lambda: gateway.ask("/")[0] == 200, 3)
        write(old, new)
        harness.wait_until(lambda: gateway.ask("/") and new.hits > 0, 5)
        before = new.hits
        calls(gateway, 60)
        return new.hits - before
    return differ(share, ("0s", "1h"), lambda at_once, slowly: at_once >= 20 and slowly <= 15)


def _health(key, values, look, expect, **fixed):
    @effect(f"services.health.{key}")
    def health(scenario):
        def observe(value):
            return look(scenario, {"path": "/ready", "interval": "100ms", "timeout": "1s", **fixed, key: value})
        return differ(observe, values, expect)


def _checks(scenario, options):
    origin = fine()
    gate(scenario, origin, demo={"health": options})
    time.sleep(1.0)
    return sum(1 for head in origin.heads if b"/ready" in head), sum(1 for head in origin.heads if b"/other" in head)


_health("kind", ("off", "http"), _checks, lambda off, http: off[0] == 0 and http[0] >= 3)
_health("path", ("/ready", "/other"), _checks, lambda ready, other: ready[0] >= 3 and other[0] == 0 and other[1] >= 3)
_health("interval", ("100ms", "1h"), _checks, lambda often, never: often[0] >= 4 and never[0] <= 2)


def _unhealthy(after, behaviour_delay=0.0):
    """Whether the instance is unhealthy `after` seconds of checks that fail (or are slow)."""
    def look(scenario, options):
        origin = fine(delay=behaviour_delay) if behaviour_delay else failing()
        gateway = gate(scenario, origin, demo={"health": options, "outlier": {"mode": "enforce"}})
        return harness.wait_until(lambda: "unhealthy" in text_of(gateway), after)
    return look


_health("timeout", ("50ms", "5s"), _unhealthy(2.0, 0.3), lambda short, long: short and not long, rise=1, fall=1)


@effect("services.health.fall")
def fall(scenario):
    def falls(value):
        ill = []
        origin = Origin(lambda *request: (not_yet if ill else fine_again)(*request))
        gateway = gate(scenario, origin, demo={"outlier": {"mode": "enforce"}, "health": {
            "path": "/ready", "interval": "100ms", "fall": value}})
        harness.wait_until(lambda: origin.hits >= 3, 3)
        ill.append(True)
        return harness.wait_until(lambda: "unhealthy" in text_of(gateway), 1.5)
    return differ(falls, (1, 100), lambda one, many: one and not many)


@effect("services.health.rise")
def rise(scenario):
    def returns(value):
        well = []
        origin = Origin(lambda *request: (fine_again if well else not_yet)(*request))
        gateway = gate(scenario, origin, demo={"outlier": {"mode": "enforce"}, "health": {
            "path": "/ready", "interval": "100ms", "fall": 1, "rise": value}})
        bad = harness.wait_until(lambda: "unhealthy" in text_of(gateway), 3)
        well.append(True)
        return bad, harness.wait_until(lambda: "unhealthy" not in text_of(gateway), 1.5)
    return differ(returns, (1, 100), lambda one, many: one == (True, True) and many == (True, False))


def not_yet(connection, *_):
    connection.sendall(b"HTTP/1.1 503 Not Yet\r\ncontent-length: 0\r\n\r\n")


def fine_again(connection, *_):
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
