"""Who waits for a place in a bulkhead, who goes first, and whose share is whose."""

import threading
import time

from bench import calls, differ, effect, fine, gate, refused, together


def _order(key, values, expect, delay=0.05, **fixed):
    """Of twelve calls at once to a service that takes one after the other, how many are refused."""
    @effect(f"services.bulkhead.{key}")
    def order(scenario):
        def seen(value):
            gateway = gate(scenario, fine(delay=delay),
                           demo={"bulkhead": {"limit": 1, "max_wait": "5s", **fixed, key: value}})
            calls(gateway, 2)
            return refused(together(gateway, 12))
        return differ(seen, values, expect)


_order("order", ("fifo", "codel"), lambda fifo, codel: fifo == 0 and codel >= 4)
_order("target", ("1ms", "2s"), lambda low, high: low >= 2 and high == 0, delay=0.02, order="codel")
_order("interval", ("10ms", "3s"), lambda low, high: low >= 2 and high == 0, delay=0.02, order="codel")


def _partitions(key, values, expect, tenant="other", **fixed):
    """Of four calls of a tenant at once, how many are refused."""
    @effect(f"services.bulkhead.partitions.{key}")
    def partitions(scenario):
        def seen(value):
            shared = {"by": "header:x-tenant", "shares": {"gold": 0.5}, "lend": 0, **fixed, key: value}
            gateway = gate(scenario, fine(delay=0.4),
                           demo={"bulkhead": {"limit": 4, "queue": 0, "partitions": shared}})
            return refused(together(gateway, 4, headers={"x-tenant": tenant}))
        return differ(seen, values, expect)


_partitions("by", ("header:x-tenant", "route"), lambda header, route: header == 0 and route == 2, tenant="gold")
_partitions("shares", ({"gold": 0.5}, {"gold": 0.25}), lambda half, quarter: half == 2 and quarter == 1)
_partitions("lend", (0, 1.0), lambda none, all_of_it: none == 2 and all_of_it == 0)


def _late(gateway, early, late, **more):
    """The reason that `late` is refused for when the early ones fill the place and the queue."""
    threads = []
    for path, headers in early:
        threads.append(threading.Thread(target=calls, args=(gateway, 1, path), kwargs={"headers": headers}))
        threads[-1].start()
        time.sleep(0.1)
    (_, reason), = calls(gateway, 1, late, **more)
    for thread in threads:
        thread.join()
    return reason


BUSY = {"limit": 1, "max_wait": "5s"}


@effect("routes.priority")
def priority(scenario):
    def seen(value):
        gateway = gate(scenario, fine(delay=0.5), demo={"bulkhead": {**BUSY, "queue": 1}}, routes=[
            {"match": {"path": "/late"}, "service": "demo", "priority": value},
            {"match": {"path": "/"}, "service": "demo"}])
        return _late(gateway, [("/", {}), ("/", {})], "/late")
    return differ(seen, ("sheddable", "critical_plus"), lambda low, high: low == "queue_full" and high == "")


@effect("routes.fair_by")
def fair_by(scenario):
    def seen(value):
        gateway = gate(scenario, fine(delay=0.8), demo={"bulkhead": {**BUSY, "queue": 2}}, route={"fair_by": value})
        return _late(gateway, [("/", {"x-user": "flood"})] * 3, "/", headers={"x-user": "other"})
    return differ(seen, ("", "header:x-user"), lambda none, user: none == "queue_full" and user == "")
