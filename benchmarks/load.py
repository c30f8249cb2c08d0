"""How many requests a server answers in a second: asked by wrk, over a fixed number of connections that stay open.

wrk is a program of its own, quick enough not to be what is measured. A run in which anything but success was answered
is no measurement, and is refused.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from campushub360.local.packages import COMMAND, find_program

CONNECTIONS = 16
THREADS = 2
# A server that answers 20 requests a second still answers the last of them within this.
PATIENCE_SECONDS = 20

_COUNT = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_ERRORS = re.compile(r"^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadError(Exception):
    """Nothing was measured; the message says why."""


@dataclass(frozen=True)
class Measured:
    """What came of one run: requests a second, and how long half of them and 99 of a hundred took at most, in ms."""

    requests: int
    rate: float
    median: float
    p99: float


def put_load_on(url: str, headers: Mapping[str, str], *, seconds: int) -> Measured:
    """Ask for `url` over and over for so many seconds; raise `LoadError` unless every answer was a success."""
    command = [program(), f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", f"--timeout={PATIENCE_SECONDS}s"]
    command += ["--latency", *(f"-H{name}: {value}" for name, value in headers.items()), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadError(f"wrk could not ask for {url}: {(done.stderr or done.stdout).strip()}")
    return parse(done.stdout, url)


def parse(said: str, url: str) -> Measured:
    """Read what wrk said about `url`."""
    if errors := _ERRORS.findall(said):
        raise LoadError(f"not every request for {url} was answered with success: {'; '.join(errors)}")
    count, rate = _COUNT.search(said), _RATE.search(said)
    times = {percent: float(number) * _MILLISECONDS[unit] for percent, number, unit in _PERCENTILE.findall(said)}
    if count is None or rate is None or times.keys() != {"50", "99"}:
        raise LoadError(f"wrk said something about {url} that is not understood:\n{said}")
    if int(count[1]) == 0:
        raise LoadError(f"no request for {url} was answered at all")
    return Measured(int(count[1]), float(rate[1]), times["50"], times["99"])


def program() -> str:
    """Return where wrk is; raise `LoadError` where it is not."""
    return installed("wrk")


def installed(name: str) -> str:
    """Return the path of a program of the system's; raise `LoadError` where it is not installed."""
    found = find_program(name)
    if found is None:
        raise LoadError(f"{name} is not installed: `{COMMAND}` installs it")
    return found
