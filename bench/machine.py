"""What a figure was measured on, and figures of repeated rounds."""

import datetime
import os
import pathlib
import platform
import statistics
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent


def describe():
    """The machine, the date and the revision, for the record beside the figures."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TOP, capture_output=True, text=True,
                              check=False).stdout.strip()
    return {"date": datetime.date.today().isoformat(), "cpu": model, "cores": os.cpu_count(),
            "kernel": platform.release(), "revision": revision}


def spread(values):
    """Median and the quartiles around it."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}
