"""The files of the tree as git sees them (tracked, or new and not ignored): what every check reads."""

import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent


def files(*patterns):
    """Paths relative to the top, sorted; patterns are git pathspecs such as '*.h'."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=TOP, capture_output=True, text=True, check=True)
    return sorted(path for path in set(listed.stdout.split("\0")) if path and (TOP / path).is_file())


def text(path):
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def report(name, problems):
    """Prints the problems and returns the exit code."""
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problem(s)" if problems else f"{name}: ok")
    return 1 if problems else 0
