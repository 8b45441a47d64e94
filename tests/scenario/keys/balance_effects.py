"""Which instance a call goes to: keys, reports, subsets, zones, groups; who is unlike its peers."""

import time

import harness
from bench import QUIET, alternating, calls, differ, effect, fine, gate, together
from origin import ordinary

TURNS = {"kind": "round_robin", "slow_start": "0s"}


def _hits(origins):
    return [origin.hits for origin in origins]


def _standing(scenario, instances, balance, node=None, **options):
    """A gateway in front of instances as a registry describes them: (origin, zone, group)."""
    static = [{"address": f"127.0.0.1:{getattr(origin, 'port', origin)}", "zone": zone,
               "metadata": {"tier": group} if group else {}} for origin, zone, group in instances]
    service = {"instances": {"static": static}, **QUIET, "balance": {**TURNS, **balance}, **options}
    return gate(scenario, services={"demo": service}, node={"service": "edge", **(node or {})})


@effect("services.balance.key")
def key(scenario):
    def reached(value):
        origins = [fine() for _ in range(4)]
        gateway = gate(scenario, *origins, demo={"balance": {"kind": "maglev", "key": value}})
        for i in range(20):
            calls(gateway, headers={"x-user": "seven", "cookie": f"session=s{i}"})
        return sum(1 for hits in _hits(origins) if hits)
    return differ(reached, ("header:x-user", "cookie:session"), lambda user, session: user == 1 and session > 1)


@effect("services.balance.bound")
def bound(scenario):
    def most(value):
        origins = [fine(delay=0.4) for _ in range(2)]
        gateway = gate(scenario, *origins, demo={"balance": {"kind": "maglev", "key": "client_ip", "bound": value}})
        together(gateway, 24)
        return max(_hits(origins))
    return differ(most, (1.01, 100), lambda tight, loose: tight <= 16 and loose == 24)


@effect("services.balance.reports")
def reports(scenario):
    def idle(value):
        busy = fine(headers=("hale-load: 4",))
        idle_one = fine(headers=("hale-load: 0.2",))
        gateway = gate(scenario, busy, idle_one, demo={"balance": {"kind": "least_request", "reports": value}})
        calls(gateway, 40)
        return idle_one.hits
    return differ(idle, ("ignore", "use"), lambda ignored, used: ignored < 33 and used >= 36)


@effect("services.balance.subset.size")
def subset_size(scenario):
    def reached(value):
        origins = [fine() for _ in range(4)]
        calls(gate(scenario, *origins, demo={"balance": {**TURNS, "subset": {"size": value}}}), 20)
        return sum(1 for hits in _hits(origins) if hits)
    return differ(reached, (1, 0), lambda one, all_of_them: one == 1 and all_of_them == 4)


def _who(scenario, origins, subset):
    before = _hits(origins)
    calls(gate(scenario, *origins, demo={"balance": {**TURNS, "subset": {"size": 1, **subset}}}), 5)
    return [i for i, hits in enumerate(_hits(origins)) if hits > before[i]]


@effect("services.balance.subset.client")
def subset_client(scenario):
    origins = [fine() for _ in range(4)]
    return differ(lambda value: _who(scenario, origins, {"clients": 4, "client": value}), (0, 2),
                  lambda first, third: len(first) == len(third) == 1 and first != third)


@effect("services.balance.subset.clients")
def subset_clients(scenario):
    origins = [fine() for _ in range(4)]
    return differ(lambda value: _who(scenario, origins, {"clients": value, "client": 1}), (2, 4),
                  lambda two, four: len(two) == len(four) == 1 and two != four)


@effect("services.balance.zone.prefer")
def zone_prefer(scenario):
    def elsewhere(value):
        here, there = fine(), fine()
        calls(_standing(scenario, [(here, "z", ""), (there, "y", "")], {"zone": {"prefer": value}}, {"zone": "z"}), 20)
        return there.hits
    return differ(elsewhere, ("none", "own"), lambda none, own: none == 10 and own == 0)


@effect("services.balance.zone.share")
def zone_share(scenario):
    def elsewhere(value):
        here, there = fine(), fine()
        calls(_standing(scenario, [(here, "z", ""), (there, "y", "")], {"zone": {"prefer": "own", "share": value}},
                        {"zone": "z"}), 40)
        return there.hits
    return differ(elsewhere, (0.5, 1.0), lambda half, whole: half == 0 and 15 <= whole <= 25)


@effect("services.balance.priority.metadata")
def priority_metadata(scenario):
    def second(value):
        first, next_one = fine(), fine()
        calls(_standing(scenario, [(first, "", "0"), (next_one, "", "1")], {"priority": {"metadata": value}}), 20)
        return next_one.hits
    return differ(second, ("", "tier"), lambda off, on: off == 10 and on == 0)


@effect("services.balance.priority.threshold")
def priority_threshold(scenario):
    def second(value):
        first, next_one, dead = fine(), fine(), harness.free_port()
        gateway = _standing(scenario, [(first, "", "0"), (dead, "", "0"), (next_one, "", "1")],
                            {"priority": {"metadata": "tier", "threshold": value}}, retry={"attempts": 3},
                            outlier={"mode": "enforce", "rest": "1h", "max_rest": "1h"})

        def is_out():
            calls(gateway, 2)
            return any(one["use"] == "out" for one in gateway.status()["services"]["demo"]["instances"])
        harness.wait_until(is_out, 5)
        before = next_one.hits
        calls(gateway, 40)
        return next_one.hits - before
    return differ(second, (0.5, 1.0), lambda low, high: low == 0 and 12 <= high <= 28)


def _deviation(name, values, expect, make=lambda: fine(delay=0.1), wait=0.0, **fixed):
    """How often the odd one of three is called in 60 calls, or in 12 more after a wait."""
    @effect(f"services.outlier.deviation.{name}")
    def deviation(scenario):
        def hits(value):
            odd = make()
            gateway = gate(scenario, odd, fine(), fine(), demo={"balance": TURNS, "outlier": {
                "mode": "enforce", "interval": "0s",
                "deviation": {"minimum_calls": 5, "rest": "1h", "max_rest": "1h", **fixed, name: value}}})
            for _ in range(60):  # the set is judged ten times a second
                calls(gateway)
                time.sleep(0.005)
            if wait:
                before = odd.hits
                time.sleep(wait)
                calls(gateway, 12)
                return odd.hits - before
            return odd.hits
        return differ(hits, values, expect)


_deviation("mode", ("off", "shadow", "enforce"), lambda off, shadow, on: off == shadow == 20 and on <= 10)
_deviation("threshold", (5, 1000), lambda near, far: near <= 10 and far == 20)
_deviation("slower", (3, 1000), lambda near, far: near <= 10 and far == 20)
_deviation("failures", (0.25, 1.0), lambda few, all_of_them: few < 20 and all_of_them == 20,
           make=lambda: alternating(ordinary(), ordinary(b"no", status="503 Service Unavailable")))
_deviation("minimum_calls", (5, 500), lambda few, many: few <= 10 and many == 20)
_deviation("rest", ("200ms", "1h"), lambda short, long: short > long == 0, wait=0.6)
