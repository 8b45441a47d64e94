"""Sections that are read at start: node, listen, admin, config, telemetry, drain; and switches, log."""

import json
import signal
import socket
import threading
import time

import harness
from bench import calls, differ, effect, fine, gate, service, text_of, timed
from origin import Origin, answer


@effect("node.service", "node.zone", "node.id")
def node(scenario):
    seen = text_of(gate(scenario, fine(), node={"service": "shop-q", "zone": "zone-q", "id": "id-q"}))
    return all(word in seen for word in ("shop-q", "zone-q", "id-q")), seen[:200]


@effect("node.loops")
def loops(scenario):
    def threads(count):
        gateway = gate(scenario, fine(), node={"loops": count})
        with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("Threads")).split()[1])
    return differ(threads, (1, 4), lambda one, four: four - one == 3)


@effect("listen.address", "admin.address")
def address(scenario):
    gateway = gate(scenario, fine())
    return calls(gateway)[0][0] == 200 and harness.ask(gateway.admin, "/health")[0] == 200, gateway.port


@effect("listen.trust")
def trust(scenario):
    def kept(value):
        origin = fine()
        gate(scenario, origin, listen={"trust": value}).ask("/", headers={"x-request-id": "mine-q"})
        return b"mine-q" in origin.heads[0]
    return differ(kept, ("edge", "mesh"), lambda edge, mesh: mesh and not edge)


@effect("listen.trusted_proxies")
def trusted_proxies(scenario):
    def limited(proxies):
        gateway = gate(scenario, fine(), listen={"trusted_proxies": proxies},
                       route={"limit": [{"rate": "1/h", "burst": 1, "by": "client_ip"}]})
        return [gateway.ask("/", headers={"x-forwarded-for": f"192.0.2.{n}"})[0] for n in (1, 2)]
    return differ(limited, ([], ["127.0.0.0/8"]), lambda one, other: one == [200, 429] and other == [200, 200])


def _limit(key, small, large, request, status):
    @effect(f"listen.limits.{key}")
    def limit(scenario):
        def ask(value):
            gateway = gate(scenario, fine(), listen={"limits": {key: value}})
            return gateway.ask(**request)[0]
        return differ(ask, (small, large), lambda low, high: low == status and high == 200)


_limit("header", "1KiB", "32KiB", {"path": "/", "headers": {"x-long": "y" * 4000}}, 431)
_limit("fields", 5, 100, {"path": "/", "headers": {f"x-{n}": "y" for n in range(20)}}, 431)
_limit("target", "64B", "8KiB", {"path": "/" + "y" * 500}, 414)
_limit("body", "1KiB", "64MiB", {"path": "/", "method": "POST", "body": "y" * 5000}, 413)


@effect("listen.limits.connections")
def connections(scenario):
    def served(limit):
        gateway = gate(scenario, fine(), node={"loops": 1}, listen={"limits": {"connections": limit}})
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", gateway.port)), socket.create_connection(("127.0.0.1", gateway.port)):
            time.sleep(0.1)
            return calls(gateway)[0][0]
    return differ(served, (2, 100), lambda few, many: few == 0 and many == 200)


def _waits(port, data, seconds):
    """How long the gateway keeps a connection that said this much, and what it answered."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(data)
        client.settimeout(seconds)
        began, got = time.monotonic(), b""
        try:
            while piece := client.recv(65536):
                got += piece
        except TimeoutError:
            return None
        return time.monotonic() - began, got[:12]


def _timeout(key, data):
    @effect(f"listen.timeouts.{key}")
    def timeout(scenario):
        def kept(value):
            return _waits(gate(scenario, fine(), listen={"timeouts": {key: value}}).port, data, 1.5)
        return differ(kept, ("200ms", "20s"), lambda short, long: short is not None and short[0] < 1.2 and long is None)


_timeout("header", b"GET / HTTP/1.1\r\nhost:")
_timeout("idle", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
_timeout("body", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")


@effect("listen.timeouts.write")
def write_timeout(scenario):
    large = Origin(lambda connection, *_: connection.sendall(answer(b"x" * 32_000_000)))

    def whole(value):
        gateway = gate(scenario, large, listen={"timeouts": {"write": value}})
        with socket.create_connection(("127.0.0.1", gateway.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            time.sleep(1.5)
            client.settimeout(5)
            total = 0
            try:
                while piece := client.recv(1 << 20):
                    total += len(piece)
            except OSError:
                pass
            return total > 32_000_000
    return differ(whole, ("300ms", "20s"), lambda short, long: not short and long)


@effect("admin.token")
def token(scenario):
    def put(value):
        file = scenario.write("token-q", value or "")
        gateway = gate(scenario, fine(), admin={"token": {"file": str(file)}} if value else {})
        headers = {"authorization": "Bearer secret-q-secret-q"}
        return harness.ask(gateway.admin, "/log?level=debug", "PUT", headers)[0]
    return differ(put, (None, "secret-q-secret-q"), lambda none, given: none in (401, 403) and given // 100 == 2)


@effect("admin.hosts")
def hosts(scenario):
    def ask(names):
        gateway = gate(scenario, fine(), admin={"hosts": names})
        return harness.ask(gateway.admin, "/status", headers={"host": "ops.example"})[0]
    return differ(ask, ([], ["ops.example"]), lambda none, listed: none == 403 and listed == 200)


@effect("config.from.file")
def from_file(scenario):
    old, new = fine(b"old"), fine(b"new")
    watched = scenario.folder / f"watched-{old.port}.json"
    gateway = gate(scenario, old, config={"from": {"file": str(watched)}}, wait=None)
    time.sleep(0.2)
    document = dict(gateway.document, services={"demo": service(new)})
    scenario.write(watched.name, json.dumps(document))
    return harness.wait_until(lambda: gateway.ask("/")[2] == b"new", 5), gateway.process.log()[-200:]


@effect("telemetry.access_log")
def access_log(scenario):
    path = scenario.folder / "access-q.log"
    gate(scenario, fine(), telemetry={"access_log": str(path)}).ask("/seen-q")
    return harness.wait_until(lambda: path.exists() and "/seen-q" in path.read_text(), 3), path


def _explained(scenario, **telemetry):
    gateway = gate(scenario, fine(delay=0.1), telemetry={"access_log": "off", **telemetry})
    gateway.ask("/explained-q")
    return harness.wait_until(lambda: "/explained-q" in text_of(gateway, "/explain"), 0.5)


@effect("telemetry.slow")
def slow(scenario):
    return differ(lambda value: _explained(scenario, slow=value, sample=0), ("50ms", "10s"), lambda a, b: a and not b)


@effect("telemetry.sample")
def sample(scenario):
    return differ(lambda value: _explained(scenario, sample=value), (1.0, 0.0), lambda a, b: a and not b)


def _ends_after(gateway):
    began = time.monotonic()
    gateway.process.signal(signal.SIGTERM)
    gateway.process.wait(8)
    return time.monotonic() - began


@effect("drain.wait")
def drain_wait(scenario):
    return differ(lambda value: _ends_after(gate(scenario, fine(), drain={"wait": value})), ("0s", "1500ms"),
                  lambda none, some: none < 1.2 and 1.4 < some < 4)


@effect("drain.timeout")
def drain_timeout(scenario):
    def ends(value):
        gateway = gate(scenario, fine(delay=3), drain={"wait": "0s", "timeout": value})
        threading.Thread(target=lambda: gateway.ask("/"), daemon=True).start()
        time.sleep(0.3)
        return _ends_after(gateway)
    return differ(ends, ("300ms", "20s"), lambda short, long: short < 1.5 < 2 < long)


@effect("switches")
def switches(scenario):
    seen = text_of(gate(scenario, fine(), switches={"new_pricing_q": True}))
    return "new_pricing_q" in seen, seen[:200]


@effect("log.level")
def level(scenario):
    def lines(value):
        gateway = gate(scenario, fine(), log={"level": value})
        gateway.ask("/")
        timed(gateway)
        _ends_after(gateway)
        return len(gateway.process.log().splitlines())
    return differ(lines, ("error", "debug"), lambda few, many: few < many)
