"""How many requests a server answers in a second: asked by wrk, over a fixed number of connections that stay open.

wrk is a program of its own, quick enough not to be what is measured. A run in which anything but success was answered
is no measurement, and is refused.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from campushub360.local.packages import COMMAND, find_program

CONNECTIONS = 16
THREADS = 2
# A server that answers 20 requests a second still answers the last of them within this.
PATIENCE_SECONDS = 20
# Where nothing was answered in the time, it is tried so often again for three times as long.
PATIENCE_TIMES = 2
# What wrk is told beyond its command line.
SCRIPTS = Path(__file__).parent / "wrk"

_COUNT = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_ERRORS = re.compile(r"^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadError(Exception):
    """Nothing was measured; the message says why."""


class NothingAnsweredError(LoadError):
    """The time was over before anything was answered."""


@dataclass(frozen=True)
class Measured:
    """What came of one run: requests a second, and how long half of them and 99 of a hundred took at most, in ms."""

    requests: int
    rate: float
    median: float
    p99: float


def put_load_on(
    url: str, headers: Mapping[str, str], *, seconds: int, connections: int = CONNECTIONS, pause: float = 0
) -> Measured:
    """Ask for `url` over and over for so many seconds; raise `LoadError` unless every answer was a success.

    With a `pause`, each connection waits for so many milliseconds on average before it asks again.
    """
    for _ in range(PATIENCE_TIMES):
        try:
            return _load(url, headers, seconds, connections, pause)
        except NothingAnsweredError:
            seconds *= 3
    return _load(url, headers, seconds, connections, pause)


def _load(url: str, headers: Mapping[str, str], seconds: int, connections: int, pause: float) -> Measured:
    sent = [f"-H{name}: {value}" for name, value in headers.items()]
    script = [f"-s{SCRIPTS / 'paced.lua'}"] if pause else []
    said = run_wrk(url, [*script, *sent], seconds=seconds, connections=connections, PAUSE=f"{pause}")
    return parse(said, url)


def run_wrk(
    url: str, options: Sequence[str], *, seconds: int, connections: int, threads: int = THREADS, **environment: str
) -> str:
    """Let wrk ask for `url`, and return what it said."""
    command = [program(), f"-t{threads}", f"-c{connections}", f"-d{seconds}s", f"--timeout={PATIENCE_SECONDS}s"]
    environment = {"PATH": os.environ["PATH"], **environment}
    command += ["--latency", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise LoadError(f"wrk could not ask for {url}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def parse(said: str, url: str) -> Measured:
    """Read what wrk said about `url`."""
    if errors := _ERRORS.findall(said):
        raise LoadError(f"not every request for {url} was answered with success: {'; '.join(errors)}")
    count, rate = _COUNT.search(said), _RATE.search(said)
    times = {percent: float(number) * _MILLISECONDS[unit] for percent, number, unit in _PERCENTILE.findall(said)}
    if count is None or rate is None or times.keys() != {"50", "99"}:
        raise LoadError(f"wrk said something about {url} that is not understood:\n{said}")
    if int(count[1]) == 0:
        raise NothingAnsweredError(f"no request for {url} was answered at all")
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
