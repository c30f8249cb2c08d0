"""`make stack` and `make stack-down`, as a person sees them."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from campushub360.local import CHECKOUT, HOME
from campushub360.local.engine import is_free
from campushub360.local.locks import is_held, open_lock, try_lock, wait_for_lock
from campushub360.local.packages import COMMAND, missing
from campushub360.local.processes import is_alive
from campushub360.local.secrets import demo_password
from campushub360.local.stack import STACK, StackError
from campushub360.local.stack.leftovers import end_leftovers, leftovers
from campushub360.local.stack.servers import LUA
from campushub360.local.stack.supervisor import DONE
from campushub360.local.stack.topology import CERTIFICATE, ENVIRONMENT, number_from
from campushub360.local.supervisor import StartError, port_from
from campushub360.local.terminal import Terminal

PORT = "8443"
SCALES = ("small", "medium", "large")
PATIENCE_SECONDS = 180
FIRST_PORT = 1024


def up(terminal: Terminal) -> None:
    """Start the stack unless it is up; return when it is."""
    port, scale = _wishes()
    lock = open_lock(STACK / "lock")
    if not try_lock(lock):
        os.close(lock)
        if is_alive(_state().get("supervisor")):
            _wait_for_another(terminal)
            terminal.say(f"The stack is up already, on {_state()['url']}; `make stack-down` ends it.")
            return
        with terminal.step("ending what a killed stack left behind"):
            end_leftovers(STACK)
            lock = open_lock(STACK / "lock")
            if not wait_for_lock(lock, seconds=10):
                raise StackError(f"somebody holds {STACK / 'lock'}")
    if not is_free(port):
        raise StackError(f"port {port} is taken by another program: `PORT={port + 1} make stack` uses another")
    if missing([LUA]):
        terminal.say(f"  {LUA} is not installed, so nginx keeps no answers: `{COMMAND}` installs it")
    _start(terminal, lock, port, scale)


def _wishes() -> tuple[int, str]:
    """Return the port and the scale that are wished for, where the system has what the stack needs."""
    if absent := missing(["nginx", "pgbouncer"]):
        line = f"apt-get install {' '.join(absent)}"
        raise StackError(f"{', '.join(absent)}: not installed; `{COMMAND}` installs all that is needed (or `{line}`)")
    port, scale = port_from(os.environ.get("PORT") or PORT), os.environ.get("SCALE") or "small"
    if port < FIRST_PORT:
        raise StackError(f"PORT={port}: nginx runs without root's rights here, so use one from {FIRST_PORT} on")
    if scale not in SCALES:
        raise StackError(f"SCALE={scale}: use {', '.join(SCALES)}")
    for name in ("APP_REPLICAS", "WEB_CONCURRENCY"):
        number_from(os.environ, name, 1)
    return port, scale


def down(terminal: Terminal, home: Path = STACK) -> None:
    """End the stack below `home` and whatever is left of one."""
    state = _state(home)
    if not leftovers(home):
        terminal.say("No stack is up.")
    elif is_alive(state.get("supervisor")):
        with terminal.step("stopping the stack"):
            os.kill(int(state["supervisor"][0]), signal.SIGTERM)
            _wait_until_gone(state)
    end_leftovers(home)
    (home / "state.json").unlink(missing_ok=True)
    if rest := leftovers(home):
        raise StackError(f"processes that do not end: {', '.join(f'{each.name()} ({each.pid})' for each in rest)}")


def _start(terminal: Terminal, lock: int, port: int, scale: str) -> None:
    """Start the supervisor, which survives this process and its terminal, and show what it does."""
    reading, writing = os.pipe()
    log = STACK / "stack.log"
    command = [sys.executable, "-m", "campushub360.local.stack.supervisor"]
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [*command, str(lock), str(writing), str(port), scale],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lock, writing],
            start_new_session=True,
        )
    os.close(writing)
    os.close(lock)
    try:
        with os.fdopen(reading) as pipe:
            _follow(pipe, terminal)
    except BaseException:
        supervisor.terminate()
        supervisor.wait(PATIENCE_SECONDS)
        raise
    _introduce(terminal, port)


def _follow(pipe: IO[str], terminal: Terminal) -> None:
    """Show the steps that the supervisor tells of until it closes the pipe."""
    told = False
    for title in pipe:
        with terminal.step(title.strip()):
            outcome = pipe.readline().strip()
            if outcome != DONE:
                raise StackError(json.loads(outcome or '"it ended by itself"') + f"\n(see {STACK / 'stack.log'})")
        told = True
    if not told or not _state().get("is_up"):
        raise StackError(f"it ended by itself: see {STACK / 'stack.log'}")


def _introduce(terminal: Terminal, port: int) -> None:
    url = f"https://localhost:{port}"
    say, strong = terminal.say, terminal.strong
    say()
    say(strong(f"  CampusHub360 is up on {url}"))
    say(f"  API pages    {url}/api/v1/docs/")
    say(f"  Admin        {url}/admin/")
    say(f"  Certificate  {STACK / CERTIFICATE}  (curl --cacert)")
    say(f"  Environment  {STACK / ENVIRONMENT}  (for manage.py: `set -a; . FILE; set +a`)")
    say(f"  Logs         {STACK / 'stack.log'}, {STACK / 'logs'}, {STACK}/*/server.log")
    accounts = json.loads((STACK / "demo.json").read_text())["accounts"]
    if accounts:
        say()
        say(f"  Demo accounts, all with the password {strong(demo_password(os.environ, home=HOME))}")
    for account in accounts:
        say(f"    {account}")
    say()
    say("  `make stack-down` ends it.")


def _wait_for_another(terminal: Terminal) -> None:
    """Wait until a stack is up that somebody else is starting."""
    if _state().get("is_up"):
        return
    with terminal.step("waiting for a stack that is starting"):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _state().get("is_up"):
            if time.monotonic() > deadline or not is_held(STACK / "lock"):
                raise StackError(f"it does not come up: see {STACK / 'stack.log'}")
            time.sleep(0.2)


def _wait_until_gone(state: dict[str, Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_alive(state["supervisor"]):
        if time.monotonic() > deadline:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(int(state["supervisor"][0])).kill()
            return
        time.sleep(0.1)


def _state(home: Path = STACK) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((home / "state.json").read_text())
    except FileNotFoundError:
        return {}
    return state


def main(word: str) -> int:
    """Do what was typed and return the exit status."""
    try:
        {"up": up, "down": down}[word](Terminal())
    except (StackError, StartError) as error:
        print(f"make stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
