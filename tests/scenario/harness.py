"""What the scenarios share: a folder of their own, processes that end with them, a gateway and its
document, load, and a closing line "N passed, N failed, N skipped".

Nothing here knows a fixed port: each process is given a free one on the loopback interface.
"""

import atexit
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HALE = os.environ.get("HALE", str(TOP / "build" / "release" / "hale"))
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path, method="GET", headers=None, body=None, timeout=5.0):
    """One request on a connection of its own: (status, headers, body); status 0: no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


def wait_until(condition, seconds=10.0, every=0.02):
    """Whether `condition()` became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child that cannot outlive the scenario."""

    def __init__(self, command, log=None, env=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log_path = log
        self._log = open(log, "ab") if log else subprocess.DEVNULL
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=cwd,
            env={**os.environ, **(env or {})},
            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))

    @property
    def pid(self):
        return self._process.pid

    def signal(self, number):
        self._process.send_signal(number)

    def alive(self):
        return self._process.poll() is None

    def wait(self, seconds):
        """The exit code (negative: a signal's number), or None when it is still running."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self):
        if self.alive():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            if self.wait(3) is None:
                self.signal(signal.SIGKILL)
                self.wait(5)
        if self._log is not subprocess.DEVNULL:
            self._log.close()

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace") if self.log_path else ""

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        """User and system time of it and of its children that are alive."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children")
        pids = [self.pid] + [int(pid) for pid in children.read_text().split()]
        ticks = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


class Scenario:
    """with Scenario("name") as scenario: ...; scenario.check(what, whether, detail)."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hale-{name}-"))
        self._processes = []
        atexit.register(self._end)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit(130))

    def __enter__(self):
        if not os.access(HALE, os.X_OK):
            self.skip(self.name, f"{HALE} is not built")
            self.finish()
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and kind is not SystemExit:
            import traceback
            traceback.print_exception(kind, error, trace)
            self.check("the scenario runs to its end", False, str(error))
        if kind is not SystemExit:
            self.finish()

    def _end(self):
        for process in reversed(self._processes):
            process.end()
        self._processes = []
        if os.environ.get("HALE_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def check(self, what, whether, detail=""):
        self.passed += bool(whether)
        self.failed += not whether
        print(f"{'ok    ' if whether else 'FAILED'} {what}{': ' + str(detail) if detail != '' else ''}", flush=True)
        return bool(whether)

    def skip(self, what, why):
        self.skipped += 1
        print(f"skipped: {what}: {why}", flush=True)

    def finish(self):
        self._end()
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed else 0)

    def start(self, command, name, **more):
        process = Process(command, log=self.folder / f"{name}.log", **more)
        self._processes.append(process)
        return process

    def write(self, name, text):
        path = self.folder / name
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_text(text)
        fresh.rename(path)  # as an editor does: the old or the new one, nothing between
        return path


class Gateway:
    """`hale gateway` on free ports with a document given as a dict (JSON is a document too)."""

    def __init__(self, scenario, services, routes, name="gateway", wait="/ready", env=None, pin=None, listen=None,
                 admin=None, **more):
        self.scenario = scenario
        self.port = free_port()
        self.admin = free_port()
        self.file = f"{name}.json"
        self.document = {
            "node": {"service": "edge"},
            "listen": [{"address": f"127.0.0.1:{self.port}", "trust": "edge", **(listen or {})}],
            "admin": {"address": f"127.0.0.1:{self.admin}", **(admin or {})},
            "services": services,
            "routes": routes,
        }
        self.document.update(more)
        self.path = self.write(self.document)
        pinned = ["taskset", "-c", str(pin)] if pin is not None else []
        self.process = scenario.start(pinned + [HALE, "gateway", "-c", self.path], name, env=env)
        if wait and not wait_until(lambda: ask(self.admin, wait)[0] == 200 and listens(self.port)):
            raise RuntimeError(f"the gateway's {wait} is not 200: {self.process.log()[-2000:]}")

    def write(self, document):
        return self.scenario.write(self.file, json.dumps(document, indent=1))

    def ask(self, path, **more):
        return ask(self.port, path, **more)

    def status(self):
        return json.loads(ask(self.admin, "/status")[2] or b"{}")

    def metric(self, name, **labels):
        """The sum of the samples of that name whose labels hold these; None when there is none."""
        found = None
        for line in ask(self.admin, "/metrics")[2].decode().splitlines():
            if line.startswith("#") or not line.startswith(name):
                continue
            head, value = line.split(" # ")[0].rsplit(" ", 1) if "}" not in line else (
                line[:line.rindex("}") + 1], line[line.rindex("}") + 1:].split()[0])
            if head.split("{")[0] == name and all(f'{k}="{v}"' in head for k, v in labels.items()):
                found = (found or 0.0) + float(value)
        return found


def load(scenario, port, name="load", *, rate="100/s", duration=5, extra=()):
    """Starts `hale load`; its result is `finish_load(process)`."""
    return scenario.start([HALE, "load", f"http://127.0.0.1:{port}/", "--rate", rate, "--duration",
                           f"{int(duration * 1000)}ms", "--json", "--quiet", *extra], name)


def finish_load(process, seconds=120):
    """What the load saw, as a dict."""
    code = process.wait(seconds)
    lines = [line for line in process.log().splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"the load ended with {code}: {process.log()[-2000:]}")
    return json.loads(lines[-1])
