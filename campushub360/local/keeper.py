"""The process that keeps one local server alive for as long as somebody uses it.

`python -m campushub360.local.keeper postgres FOLDER` returns when the server is ready and leaves the keeper behind.
Everybody who uses the server holds a shared lock on `users.lock`. The keeper tries now and then to take that lock for
itself; when it succeeds, nobody is left, whether they said goodbye or were killed, and it stops the server. The keeper
itself holds `keeper.lock`, so there is at most one, and restarts a server that dies under it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from campushub360.local.engine import SLOW_START_SECONDS, Engine, ServersError, replace_text
from campushub360.local.engines import ENGINES
from campushub360.local.locks import open_lock, try_lock, wait_for_lock

PATIENCE = 0.1
LARGEST_LOG = 10 * 1024 * 1024
TRIES = 3


class Keeper:
    """Starts, watches and stops one server."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.state = engine.folder / "state.json"
        self.told_to_stop = False
        self.users = open_lock(engine.folder / "users.lock")

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, say so in the state file, and return its process."""
        self.state.unlink(missing_ok=True)  # what a killed keeper said is not true any more
        self.engine.stop_strays()
        self.engine.prepare()
        for _ in range(TRIES):
            port = self.engine.choose_port()
            with self.engine.log.open("ab") as log:
                process = self.engine.launch(port, log)
            if self._becomes_ready(process, port):
                replace_text(self.state, json.dumps({"port": port, "pid": process.pid, "keeper": os.getpid()}))
                return process
            # The likeliest cause is a port that somebody took in the meantime; the next try asks for another.
            (self.engine.folder / "port").unlink(missing_ok=True)
        raise ServersError(f"{self.engine.title} does not start: {_last_line(self.engine.log)} ({self.engine.log})")

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Keep the server running until nobody uses it, then stop it."""
        try:
            while not self._is_over():
                if process.poll() is not None:
                    process = self.start()
                time.sleep(PATIENCE)
        finally:
            self.state.unlink(missing_ok=True)
            self._stop(process)

    def stop_when_told(self) -> None:
        """Let SIGTERM end the watch as if nobody were left."""

        def told(_number: int, _frame: FrameType | None) -> None:
            self.told_to_stop = True

        signal.signal(signal.SIGTERM, told)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _is_over(self) -> bool:
        return self.told_to_stop or try_lock(self.users)

    def _becomes_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        deadline = time.monotonic() + SLOW_START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self.engine.is_ready(process, port):
                return True
            time.sleep(0.02)
        self._stop(process)
        return False

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        for number, seconds in ((self.engine.stop_signal, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if process.poll() is not None:
                return
            process.send_signal(number)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue


def main(name: str, home: Path) -> int:
    """Start the server called `name` and its keeper; return 0 when it is ready, or when another keeper has it."""
    engine = next(kind for kind in ENGINES if kind.name == name)(home)
    engine.folder.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        _detach(engine.log)
        report = _keep(engine, writing)
        os.write(writing, report.encode())
        os._exit(1 if report else 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        trouble = pipe.read()
    if trouble:
        print(trouble, file=sys.stderr)
    return 1 if trouble else 0


def _keep(engine: Engine, ready: int) -> str:
    """Be the keeper, closing `ready` once the server is; return what went wrong before that, or nothing."""
    if not wait_for_lock(open_lock(engine.folder / "keeper.lock"), seconds=0.5):
        return ""
    keeper = Keeper(engine)
    keeper.stop_when_told()
    try:
        process = keeper.start()
    except (ServersError, OSError) as error:
        return str(error)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, ready)
    os.close(null)
    keeper.watch(process)
    return ""


def _detach(log: Path) -> None:
    """Leave the terminal and the starter's pipes, and write what is left to say to `log`."""
    os.setsid()
    mode = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if log.exists() and log.stat().st_size > LARGEST_LOG else os.O_APPEND)
    output, null = os.open(log, mode, 0o600), os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
