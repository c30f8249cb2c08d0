"""Load that is made of many different requests: written to a file, sent by wrk one after the other, each once."""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from benchmarks.load import CONNECTIONS, SCRIPTS, LoadError, run_wrk

T = TypeVar("T")
_ANSWERED = re.compile(r"^Answered: (.*)$", re.MULTILINE)
_RATE = re.compile(r"^Replayed Requests/sec: +([\d.]+)$", re.MULTILINE)
# What is said of an answer that says nothing of the kind: one to a write, or to a read while nothing is remembered.
NO_CACHE = "-"
FROM_MEMORY = {"HIT", "EDGE-HIT"}


@dataclass(frozen=True)
class Request:
    """One request to be sent, by whoever holds the token."""

    path: str
    token: str
    method: str = "GET"
    body: str = ""

    def line(self) -> str:
        """Return it as the load generator reads it."""
        return "\t".join([self.method, self.path, self.token, self.body])


@dataclass(frozen=True)
class Replayed:
    """What came of them: requests a second, and how often each status and each place of finding was answered."""

    rate: float
    answered: Counter[tuple[int, str]]

    @property
    def from_memory(self) -> int:
        """How many answers came from memory."""
        return sum(count for (_, cache), count in self.answered.items() if cache in FROM_MEMORY)

    def of_status(self, *statuses: int) -> int:
        """Return how many answers had one of the statuses."""
        return sum(count for (status, _), count in self.answered.items() if status in statuses)

    @property
    def total(self) -> int:
        """How many answers there were."""
        return self.answered.total()


def replay(url: str, requests: Sequence[Request], *, seconds: int, connections: int = CONNECTIONS) -> Replayed:
    """Send requests to the server at `url` until all are sent or the time is over."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "requests"
        file.touch(mode=0o600)  # there are tokens in it
        file.write_text("".join(f"{request.line()}\n" for request in requests))
        options = [f"-s{SCRIPTS / 'replay.lua'}", "-HHost: localhost"]
        said = run_wrk(url, options, seconds=seconds, connections=connections, threads=1, REQUESTS=str(file))
    return read(said, url)


def read(said: str, url: str) -> Replayed:
    """Read what the script said; raise `LoadError` where a connection broke or nothing was answered."""
    answered: Counter[tuple[int, str]] = Counter()
    line, rate = _ANSWERED.search(said), _RATE.search(said)
    if "Socket errors" in said or line is None or rate is None:
        raise LoadError(f"not every request to {url} was answered:\n{said}")
    for part in line[1].split(";"):
        word, _, count = part.partition("=")
        status, _, cache = word.partition(" ")
        answered[int(status), cache] += int(count)
    return Replayed(float(rate[1]), answered)


def zipf(things: Sequence[T], random: Random, count: int, exponent: float = 1.0) -> list[T]:
    """Return so many of the things, the first ones most often: the n-th in proportion to 1 / n ** exponent."""
    return random.choices(things, [1 / rank**exponent for rank in range(1, len(things) + 1)], k=count)
