"""`hale demo-backend` as a process that can be killed, stopped and brought back on its port."""

import signal

import harness


class Backend:
    """Answers `/` with 200 bytes, `/big` with 1 MiB, both with a checksum, `/ready` with 200, and
    writes a line with the method and the `x-load-id` of each request that it executes."""

    def __init__(self, scenario, name):
        self.scenario = scenario
        self.name = name
        self.port = harness.free_port()
        self.executed = scenario.folder / f"{name}.executed"
        self.process = None
        self.start()

    def start(self):
        self.process = self.scenario.start(
            [harness.HALE, "demo-backend", "--port", self.port, "--name", self.name, "--log", self.executed], self.name)
        if not harness.wait_until(lambda: harness.ask(self.port, "/ready")[0] == 200):
            raise RuntimeError(f"{self.name} did not start: {self.process.log()[-1000:]}")

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait(5)

    def stop(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def executed_ids(self, method):
        lines = self.executed.read_text().splitlines() if self.executed.exists() else []
        words = [line.split() for line in lines]  # a request of nobody's run has no id
        return [line[1] for line in words if len(line) == 2 and line[0] == method]
