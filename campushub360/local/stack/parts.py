"""One part of the stack: how it is started, whether it is well, and how it ends."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from campushub360.local.engine import Engine
from campushub360.local.processes import LARGEST_LOG, Child

PATIENCE_SECONDS = 30


class Part(ABC):
    """Something that runs for as long as the stack does."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in what is said of it."""

    @property
    @abstractmethod
    def log(self) -> Path:
        """Where it writes what it has to say."""

    @property
    @abstractmethod
    def process(self) -> "subprocess.Popen[bytes] | None":
        """What was started last."""

    @abstractmethod
    def start(self, lock: int) -> None:
        """Start it, after whatever is left of it has been ended."""

    @abstractmethod
    def is_well(self) -> bool:
        """Return whether it does its work."""

    @abstractmethod
    def ask_to_stop(self) -> None:
        """Ask it to end."""

    @abstractmethod
    def stop(self) -> None:
        """Wait until it has ended, and end it and whatever it has started if it does not."""

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Server(Part):
    """A server with everything that it owns in a folder of its own."""

    engine: Engine
    port: int
    probe: Callable[["Server"], bool] | None = None
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def log(self) -> Path:
        return self.engine.log

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        return self._process

    def start(self, lock: int) -> None:
        self.engine.folder.mkdir(parents=True, exist_ok=True)
        self.engine.stop_strays()
        self.engine.prepare()
        with self.engine.log.open("ab") as log:
            self._process = self.engine.launch(self.port, log)

    def is_well(self) -> bool:
        if self._process is None or not self.engine.is_ready(self._process, self.port):
            return False
        return self.probe is None or self.probe(self)

    def ask_to_stop(self) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(self.engine.stop_signal)

    def stop(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.engine.stop_strays()


@dataclass
class Program(Part):
    """A process of the product."""

    child: Child
    environment: Mapping[str, str]
    logs: Path
    probe: Callable[["Program"], bool]
    _logged_before: int = field(default=0, init=False)

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}.log"

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        return self.child.process

    def start(self, lock: int) -> None:
        self.child.stop(at_once=True)
        size = self.log.stat().st_size if self.log.exists() else 0
        self._logged_before = size if size <= LARGEST_LOG else 0
        self.child.start(self.environment, self.logs, [lock])

    def said(self) -> str:
        """Return what it has written since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._logged_before)
            return log.read().decode(errors="replace")

    def is_well(self) -> bool:
        return self.is_running and self.probe(self)

    def ask_to_stop(self) -> None:
        if self.child.process is not None and self.is_running:
            self.child.process.terminate()

    def stop(self) -> None:
        if self.child.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.child.process.wait(self.child.patience)
        self.child.stop(at_once=True)
