"""CPU per proxied request: `hale gateway` with everything on against nginx as a proxy, one worker each,
pinned to one core; backend and load generator on the other, which must stay below 80 % busy.

Each connection rests for 1 to 3 ms between two requests, so that both proxies are offered the same load and
neither it nor the generator is at its limit. Rounds are interleaved, so that what else the machine does meets
both. A ratio is of one round's pair.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "scenario"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "scenario" / "backends"))
import harness  # noqa: E402
import machine  # noqa: E402
from peers import program  # noqa: E402

REPLY = "x" * 200
USER = "wrk"
# Milliseconds; wrk asks before each request.
PAUSE = "function delay() return math.random({least}, {most}) end"


def nginx(scenario, name, core, inside):
    folder = scenario.folder / name
    folder.mkdir()
    port = harness.free_port()
    (folder / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 1000000;
  {inside.replace('PORT', str(port)).replace('FOLDER', str(folder))}
}}
""")
    process = scenario.start(["taskset", "-c", str(core), program("nginx"), "-p", folder, "-c", folder / "nginx.conf"], name)
    if not harness.wait_until(lambda: harness.listens(port)):
        raise RuntimeError(process.log())
    return process, port


def backend(scenario, core):
    return nginx(scenario, "backend", core, f"""
  access_log off;
  server {{ listen 127.0.0.1:PORT backlog=4096; location / {{ return 200 "{REPLY}"; }} }}""")


def nginx_proxy(scenario, core, upstream):
    return nginx(scenario, "nginx", core, f"""
  access_log FOLDER/access.log;
  upstream origin {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:PORT backlog=4096;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_set_header X-Request-Id $request_id; }} }}""")


def hale_proxy(scenario, core, upstream, bare):
    """Everything on: access log, request id, trace context, metrics, keyed limit, breaker, retry, outlier."""
    logs = scenario.folder / "logs"
    logs.mkdir()
    limit = [] if bare else [{"rate": "1000000/s", "burst": 1000000, "by": "header:x-user-id"}]
    gateway = harness.Gateway(
        scenario, {"origin": {"instances": {"static": [f"127.0.0.1:{upstream}"]}}},
        [{"match": {"path": "/"}, "service": "origin", "limit": limit}],
        node={"service": "edge", "loops": 1}, pin=core,
        telemetry={"access_log": "off" if bare else str(logs / "access.log")})
    return gateway.process, gateway.port


def requests_of(text):
    found = re.search(r"(\d+) requests in", text)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    socket_errors = re.search(r"Socket errors: .*", text)
    latency = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    return (int(found.group(1)), int(errors.group(1)) if errors else 0, socket_errors.group(0) if socket_errors else "",
            float(latency.group(1)) * scale[latency.group(2)])


def measure(proxy, port, origin, core, seconds, connections, pause):
    """One round on one proxy: microseconds of its CPU per request, and how busy the other core was."""
    before, origin_before, began = proxy.cpu_seconds(), origin.cpu_seconds(), time.monotonic()
    usage_before = os.times()
    done = subprocess.run(
        ["taskset", "-c", str(core), program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
         *(["-s", pause] if pause else []), "-H", f"x-user-id: {USER}", f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    cpu, origin_cpu = proxy.cpu_seconds() - before, origin.cpu_seconds() - origin_before
    usage = os.times()
    wrk_cpu = (usage.children_user - usage_before.children_user) + (usage.children_system - usage_before.children_system)
    count, errors, socket_errors, p99 = requests_of(done.stdout)
    if errors or socket_errors:
        raise RuntimeError(f"{errors} answers were not 2xx. {socket_errors}")
    return {"us_per_request": cpu / count * 1e6, "requests_per_second": count / took, "p99_ms": p99,
            "proxy_busy": cpu / took, "generator_busy": (wrk_cpu + origin_cpu) / took}


def main():
    parser = argparse.ArgumentParser(prog="bench/run gateway", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--pause", type=int, nargs=2, default=[1, 3], metavar=("LEAST", "MOST"),
                        help="milliseconds that a connection rests between requests; 0 0: none")
    parser.add_argument("--bare", action="store_true", help="hale without access log and limit")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("bench/run gateway needs two cores")
    with harness.Scenario("bench-gateway") as scenario:
        origin, upstream = backend(scenario, 1)
        proxies = {"nginx": nginx_proxy(scenario, 0, upstream), "hale": hale_proxy(scenario, 0, upstream, arguments.bare)}
        least, most = arguments.pause
        pause = scenario.folder / "pause.lua" if most > 0 else None
        if pause:
            pause.write_text(PAUSE.format(least=least, most=most))
        for process, port in proxies.values():
            measure(process, port, origin, 1, 1, arguments.connections, pause)  # warm
        rounds = {name: [] for name in proxies}
        for turn in range(arguments.rounds):
            order = list(proxies.items())
            for name, (process, port) in order if turn % 2 == 0 else reversed(order):
                figures = measure(process, port, origin, 1, arguments.seconds, arguments.connections, pause)
                rounds[name].append(figures)
                if arguments.json:
                    print(json.dumps({"bench": "gateway", "round": turn, "proxy": name, **figures}), flush=True)
                elif sys.stdout.isatty():
                    print(f"round {turn + 1} of {arguments.rounds}: {name} {figures['us_per_request']:.2f} us/request", flush=True)
        ratio = machine.spread([hale["us_per_request"] / peer["us_per_request"]
                                for hale, peer in zip(rounds["hale"], rounds["nginx"])])
        busiest = max(figures["generator_busy"] for all_rounds in rounds.values() for figures in all_rounds)
        if arguments.json:
            print(json.dumps({"bench": "gateway", "ratio": ratio, "generator_busy_max": busiest, **machine.describe()}))
        else:
            print(f"{'':8} {'us/request':>10} {'requests/s':>11} {'p99 ms':>8} {'proxy busy':>10} {'generator':>10}")
            for name, figures in rounds.items():
                row = {key: machine.spread([one[key] for one in figures])["median"] for key in figures[0]}
                print(f"{name:8} {row['us_per_request']:10.2f} {row['requests_per_second']:11.0f} {row['p99_ms']:8.2f} "
                      f"{row['proxy_busy']:10.0%} {row['generator_busy']:10.0%}")
            print(f"hale / nginx: {ratio['median']:.3f} (quartiles {ratio['low']:.3f} to {ratio['high']:.3f}, "
                  f"{arguments.rounds} rounds)")
            print(", ".join(f"{key} {value}" for key, value in machine.describe().items()))
        # Not a test of the figure (machines differ) but of the measurement.
        if busiest >= 0.8:
            print(f"NOT VALID: the generator's core was {busiest:.0%} busy", file=sys.stderr)
            sys.exit(3)
        scenario._end()
        sys.exit(0)


if __name__ == "__main__":
    main()
