"""The process behind the stack: starts its parts in order, starts again what ends, and takes everything down.

It has no terminal. Whoever started it reads two lines for each step from a pipe: what it is, and how it ended. A lock
that it holds, and that the product's processes inherit, says that the stack is there; the servers are found by the
folders that they work in.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from campushub360.local import CHECKOUT
from campushub360.local.engine import ServersError, replace_text
from campushub360.local.processes import LINES_SHOWN, identity_of
from campushub360.local.stack import STACK, StackError
from campushub360.local.stack.parts import Part
from campushub360.local.stack.topology import Topology

DONE = "done"
READY_SECONDS = 180
TICK_SECONDS = 0.1
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
WELL_AFTER_SECONDS = 30


class Told(BaseException):
    """Somebody asked for the end."""


@dataclass
class Mishaps:
    """When a part that ended is started again: at once the first time, then later and later."""

    pause: float = SHORTEST_PAUSE
    due: float | None = None
    started: float = field(default_factory=time.monotonic)

    def note(self) -> None:
        """Say when to start it again."""
        lived = time.monotonic() - self.started
        self.pause = SHORTEST_PAUSE if lived > WELL_AFTER_SECONDS else min(self.pause * 2, LONGEST_PAUSE)
        self.due = time.monotonic() + self.pause

    def forget(self) -> None:
        """Say that it was started."""
        self.due, self.started = None, time.monotonic()


@dataclass
class Supervisor:
    """One life of a stack."""

    topology: Topology
    scale: str
    lock: int
    pipe: int
    parts: list[list[Part]] = field(default_factory=list)
    mishaps: dict[str, Mishaps] = field(default_factory=dict)

    def run(self) -> None:
        """Bring everything up, look after it until told to stop, and take it down."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        try:
            self._record(is_up=False)
            self._bring_up()
            self._record(is_up=True)
            os.close(self.pipe)
            while True:
                time.sleep(TICK_SECONDS)
                for part in self._running():
                    self._look_after(part)
        finally:
            self._take_down()

    def _bring_up(self) -> None:
        topology = self.topology
        with self._step("PostgreSQL, and Valkey twice"):
            self._begin(topology.stores())
        with self._step("database, roles, and three replicas"):
            topology.create_roles()
            self._begin(topology.replicas())
        with self._step("PgBouncer"):
            self._begin([topology.pooler()])
        with self._step("schema and demo data (a while the first time)"):
            self._prepare()
        with self._step(f"{len(topology.addresses.app)} web servers, worker, beat and relay"):
            self._begin(topology.programs())
        with self._step("nginx"):
            self._begin([topology.edge()])
        topology.publish()

    def _begin(self, parts: Sequence[Part]) -> None:
        """Start parts that do not need each other, and wait until all of them are well."""
        self.parts.append(list(parts))
        for part in parts:
            self.mishaps[part.name] = Mishaps()
            part.start(self.lock)
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(parts)
        while waiting := [part for part in waiting if not part.is_well()]:
            for part in waiting:
                if not part.is_running:
                    raise StackError(f"{part.name} ended by itself; the end of {part.log}:\n{_end_of(part)}")
            if time.monotonic() > deadline:
                names = ", ".join(part.name for part in waiting)
                raise StackError(f"{names}: not well after {READY_SECONDS} seconds; see {waiting[0].log}")
            time.sleep(TICK_SECONDS)

    def _prepare(self) -> None:
        """Migrate as the role that may, and fill an empty database."""
        log = self.topology.home / "logs" / "prepare.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "manage.py", "prepare_demo", "--scale", self.scale]
        command += ["--report", str(self.topology.home / "demo.json")]
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                cwd=CHECKOUT,
                env=self.topology.environment("migrate"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self.lock],
                check=False,
            )
        if done.returncode != 0:
            said = log.read_text(errors="replace").rstrip().splitlines()
            raise StackError("the database could not be prepared:\n" + "\n".join(said[-LINES_SHOWN:]))

    def _look_after(self, part: Part) -> None:
        """Start a part again that has ended."""
        mishaps = self.mishaps[part.name]
        if mishaps.due is None and not part.is_running:
            mishaps.note()
            _say(f"{part.name} ended, and is started again in {mishaps.pause:.1f} s")
        elif mishaps.due is not None and time.monotonic() > mishaps.due:
            mishaps.forget()
            try:
                part.start(self.lock)
            except (ServersError, OSError) as error:
                _say(f"{part.name} does not start: {error}")

    def _running(self) -> list[Part]:
        return [part for group in self.parts for part in group]

    def _take_down(self) -> None:
        """End what was started last first, side by side what was started side by side."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for group in reversed(self.parts):
            for part in group:
                part.ask_to_stop()
            for part in group:
                part.stop()
        (self.topology.home / "state.json").unlink(missing_ok=True)

    def _record(self, *, is_up: bool) -> None:
        state = {"supervisor": identity_of(os.getpid()), "url": self.topology.url, "is_up": is_up}
        replace_text(self.topology.home / "state.json", json.dumps(state))

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self._tell(title)
        try:
            yield
        except (StackError, ServersError, OSError) as error:
            self._tell(json.dumps(str(error)))
            raise
        self._tell(DONE)

    def _tell(self, line: str) -> None:
        _say(line)
        with suppress(BrokenPipeError):  # whoever started this is gone, and the stack stays
            os.write(self.pipe, f"{line}\n".encode())

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        raise Told


def _end_of(part: Part) -> str:
    return "\n".join(part.log.read_text(errors="replace").rstrip().splitlines()[-LINES_SHOWN:])


def _say(text: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%S"), text, flush=True)


def main(lock: int, pipe: int, port: int, scale: str) -> int:
    """Be the supervisor, with a lock that is held and a pipe to write to; return the exit status."""
    try:
        Supervisor(Topology(STACK, port, os.environ), scale, lock, pipe).run()
    except Told:
        return 0
    except (StackError, ServersError, OSError) as error:
        _say(str(error))
        with suppress(OSError):  # read where no step has told it
            os.write(pipe, f"the stack\n{json.dumps(str(error))}\n".encode())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
