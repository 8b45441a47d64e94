"""What a route answers when its service cannot, and identical requests that become one."""

import threading
import time

from bench import differ, effect, failing, fine, gate, service, text_of, together
from origin import Origin, ordinary

AWAY = b"HTTP/1.1 503 Away\r\ncontent-length: 4\r\n\r\naway"


def _falls(scenario, origin=None, **fallback):
    gateway = gate(scenario, origin or failing(), route={"fallback": fallback})
    status, headers, body = gateway.ask("/")
    return status, headers.get("hale-fallback", ""), body


@effect("routes.fallback.mode")
def mode(scenario):
    return differ(lambda value: _falls(scenario, mode=value, status=203)[:2], ("off", "shadow", "enforce"),
                  lambda off, shadow, on: off == shadow == (503, "") and on == (203, "static"))


@effect("routes.fallback.after")
def after(scenario):
    return differ(lambda value: _falls(scenario, after=value, status=203)[0],
                  ([], ["deadline"], ["upstream_status"]), lambda every, other, this: (every, other, this) == (203, 503, 203))


@effect("routes.fallback.after_status")
def after_status(scenario):
    return differ(lambda value: _falls(scenario, after_status=value, status=203)[0], ([502], [503]),
                  lambda other, this: (other, this) == (503, 203))


@effect("routes.fallback.status")
def status(scenario):
    return differ(lambda value: _falls(scenario, status=value)[0], (0, 203, 404),
                  lambda none, one, two: (none, one, two) == (503, 203, 404))


@effect("routes.fallback.body")
def body(scenario):
    return differ(lambda value: _falls(scenario, status=200, body=value)[2], ("one", "two"),
                  lambda one, two: (one, two) == (b"one", b"two"))


@effect("routes.fallback.headers")
def headers(scenario):
    gateway = gate(scenario, failing(), route={"fallback": {"status": 200, "headers": {"x-plan": "b"}}})
    seen = gateway.ask("/")[1]
    return seen.get("x-plan") == "b", seen


@effect("routes.fallback.service")
def other(scenario):
    def who(value):
        gateway = gate(scenario, services={"demo": service(failing()), "spare": service(fine(b"spare"))}, routes=[
            {"match": {"path": "/"}, "service": "demo", "fallback": {"service": value}}])
        return gateway.ask("/")[2]
    return differ(who, ("", "spare"), lambda none, spare: none == b"no" and spare == b"spare")


def _good_then_away(body_of=b"good"):
    """Answers the first request of each path well, and no other."""
    seen = set()
    lock = threading.Lock()

    def behave(connection, head, *rest):
        with lock:
            path = head.split(b" ")[1]
            first = path not in seen
            seen.add(path)
        if first:
            return ordinary(body_of)(connection, head, *rest)
        connection.sendall(AWAY)
        return None
    return Origin(behave)


def _kept(scenario, paths=("/",), wait=0.0, body_of=b"good", **last_good):
    gateway = gate(scenario, _good_then_away(body_of), route={"fallback": {"last_good": {"max_age": "1h", **last_good}}})
    for path in paths:
        gateway.ask(path)
    time.sleep(wait)
    return [gateway.ask(path)[0] for path in paths]


@effect("routes.fallback.last_good.max_age")
def max_age(scenario):
    return differ(lambda value: _kept(scenario, wait=0.2, max_age=value), ("50ms", "1h"),
                  lambda short, long: short == [503] and long == [200])


@effect("routes.fallback.last_good.body")
def last_good_body(scenario):
    return differ(lambda value: _kept(scenario, body=value), ("3B", "4B"),
                  lambda small, large: small == [503] and large == [200])


@effect("routes.fallback.last_good.entries")
def entries(scenario):
    return differ(lambda value: _kept(scenario, ("/1", "/2", "/3"), entries=value), (1, 3),
                  lambda one, three: one == [503, 503, 200] and three == [200] * 3)


@effect("routes.fallback.last_good.memory")
def memory(scenario):
    return differ(lambda value: _kept(scenario, ("/1", "/2"), body_of=b"x" * 3000, memory=value, body="4000B"),
                  ("5000B", "50000B"), lambda small, large: small == [503, 200] and large == [200, 200])


@effect("routes.fallback.last_good.by")
def last_good_by(scenario):
    def other_plan(value):
        gateway = gate(scenario, _good_then_away(), route={"fallback": {"last_good": {"max_age": "1h", "by": value}}})
        gateway.ask("/", headers={"x-plan": "gold"})
        return gateway.ask("/", headers={"x-plan": "tin"})[0]
    return differ(other_plan, ([], ["x-plan"]), lambda same, apart: same == 200 and apart == 503)


def _hits(scenario, requests=4, body_of=b"ok", each=None, **single_flight):
    origin = fine(body_of, delay=0.5)
    gateway = gate(scenario, origin, route={"single_flight": single_flight})
    if each:
        threads = [threading.Thread(target=gateway.ask, args=("/",), kwargs={"headers": one}) for one in each]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        together(gateway, requests)
    return origin.hits


@effect("routes.single_flight.mode")
def flight_mode(scenario):
    return differ(lambda value: _hits(scenario, mode=value), ("off", "shadow", "enforce"),
                  lambda off, shadow, on: off == shadow == 4 and on == 1)


@effect("routes.single_flight.max_body")
def max_body(scenario):
    return differ(lambda value: _hits(scenario, body_of=b"x" * 100, mode="enforce", max_body=value), ("99B", "100B"),
                  lambda small, large: small == 4 and large == 1)


@effect("routes.single_flight.by")
def flight_by(scenario):
    plans = [{"x-plan": "gold"}, {"x-plan": "tin"}, {"x-plan": "tin"}]
    return differ(lambda value: _hits(scenario, each=plans, mode="enforce", by=value), ([], ["x-plan"]),
                  lambda same, apart: same == 1 and apart == 2)


@effect("routes.single_flight.max_keys")
def max_keys(scenario):
    def two_paths(value):
        origin = fine(delay=0.5)
        gateway = gate(scenario, origin, route={"single_flight": {"mode": "enforce", "max_keys": value}})
        threads = [threading.Thread(target=gateway.ask, args=(path,)) for path in ("/1", "/1", "/2", "/2")]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        return origin.hits, "bound" in text_of(gateway, "/journal?limit=1000")
    return differ(two_paths, (1, 100), lambda one, many: one == (3, True) and many == (2, False))
