"""The stack that `make stack` has started, or one that is started for as long as it is needed."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.servers import Server, ServerError, Servers, free_port
from campushub360.local import CHECKOUT
from campushub360.local.engine import ADDRESS
from campushub360.local.processes import Child, is_alive
from campushub360.local.stack import STACK
from campushub360.local.stack.topology import CERTIFICATE, ENVIRONMENT

# The stack itself never has anything there: what looks for a lease in it finds none, and remembers nothing.
NOBODYS_REDIS = "/9"
FEED_DELAY = "campushub360_edge_feed_delay_seconds"


@dataclass(frozen=True)
class Stack:
    """A stack that is up, in the folder `home`."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the product is told in it."""
        lines = (self.home / ENVIRONMENT).read_text().splitlines()
        told = dict(line.partition("=")[::2] for line in lines)
        return {"PATH": os.environ["PATH"]} | {name: "".join(shlex.split(value)) for name, value in told.items()}

    @property
    def edge(self) -> Server:
        """The edge as everybody meets it, with TLS."""
        url = json.loads((self.home / "state.json").read_text())["url"]
        return Server(url, Child("edge", []), self.home / CERTIFICATE)

    def heard(self) -> Mapping[str, float]:
        """Return how often the edge has heard the feed, in all (`+Inf`) and within each number of seconds."""
        port = json.loads((self.home / "ports.json").read_text())["edge-metrics"]
        text = Server(f"http://{ADDRESS}:{port}", Child("edge", [])).get("/metrics", {}).decode()
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        return {each.labels["le"]: each.value for each in samples if each.name == f"{FEED_DELAY}_bucket"}

    def plain_edge(self, started: Servers) -> Server:
        """Start another nginx by the very files of the edge, except that it speaks HTTP without TLS."""
        folder, theirs, port = started.folder(), self.home / "edge" / "data", free_port()
        ports = json.loads((self.home / "ports.json").read_text())
        with_tls = f"listen {ADDRESS}:{ports['edge']} ssl http2;"
        replaced = {with_tls: f"listen {ADDRESS}:{port} reuseport;", str(theirs): str(folder)} | {
            f"listen {ADDRESS}:{ports[name]};": f"listen {ADDRESS}:{free_port()};"
            for name in ("edge-plain", "edge-alive", "edge-metrics")
        }
        files = [
            "nginx.conf",
            "fullchain.pem",
            "privkey.pem",
            *(f"edge/{each.name}" for each in (theirs / "edge").iterdir()),
        ]
        texts = {name: (theirs / name).read_text() for name in files}
        if with_tls not in texts["nginx.conf"]:
            raise ServerError(f"the edge's configuration says nothing like {with_tls!r} any more")
        (folder / "modules").symlink_to((theirs / "modules").resolve())
        (folder / "edge").mkdir()
        for name, text in texts.items():
            ours = reduce(lambda mine, pair: mine.replace(*pair), replaced.items(), text)
            (folder / name).write_text(ours)
        environment = {"PATH": os.environ["PATH"], "EDGE_REDIS_URL": self.environment["REDIS_URL"]}
        return started.nginx("bench-edge", folder, environment, port)

    def forgetful(self, started: Servers) -> Server:
        """Start the product beside the stack's, over the same database, so that it remembers nothing."""
        environment = self.environment
        redis = urlsplit(environment["REDIS_URL"])._replace(path=NOBODYS_REDIS).geturl()
        return started.gunicorn("bench-forgetful", environment | {"REDIS_URL": redis, "WEB_CONCURRENCY": "1"})

    def run(self, module: str, *arguments: str) -> Any:
        """Run a module as a process of the product, and return what it printed as JSON."""
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"{module} failed: {done.stderr[-2000:]}")
        return json.loads(done.stdout)


@contextmanager
def running(scale: str) -> Iterator[Stack]:
    """Give the stack that is up; where none is, one with this much demo data that ends when it is no longer needed."""
    is_ours = not is_up()
    if is_ours:
        _make("up", {"SCALE": scale})
    try:
        yield Stack(STACK)
    finally:
        if is_ours:
            _make("down", {})


def is_up(home: Path = STACK) -> bool:
    """Say whether the stack in a folder is up."""
    try:
        state = json.loads((home / "state.json").read_text())
    except FileNotFoundError:
        return False
    return bool(state.get("is_up")) and is_alive(state.get("supervisor"))


def _make(word: str, wishes: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "campushub360.local.stack", word]
    done = subprocess.run(command, cwd=CHECKOUT, env=os.environ | wishes, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"the stack does not come {word}: {done.stderr.strip() or done.stdout.strip()}")
