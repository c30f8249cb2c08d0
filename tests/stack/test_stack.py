"""The whole topology on one machine, really run: it comes up, answers, mends itself, and goes without a trace."""

import re
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from typing import Any

import psutil
import pytest

from campushub360.local import CHECKOUT
from tests.local.conftest import eventually, kill_all, processes_in
from tests.local.test_first_requests import lines_of
from tests.stack.bad_days import (  # noqa: F401 - collected here, where the stack is
    TestTheChecker,
    test_nobody_is_told_what_is_old_or_not_theirs_when,
)
from tests.stack.conftest import PASSWORD, Stack

# In one file, hence on one worker: they share a stack.
pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx", "pgbouncer"), pytest.mark.timeout(600)]

PAGE = (CHECKOUT / "docs" / "how-to" / "stack.md").read_text()


def shown(stack: Stack) -> list[str]:
    """Run the lines of the page's last part in one shell, and return what each printed."""
    blocks = re.findall(r"(?:^    .*\n?)+", PAGE.partition("## A hit, a write")[2], re.MULTILINE)
    lines = [line for block in blocks for line in lines_of(re.sub(r"^    ", "", block, flags=re.MULTILINE))]
    script = "set -euo pipefail\n"
    for line in lines:
        mine = re.sub(r"^PASSWORD=\S+", f"PASSWORD={PASSWORD}", line).replace(
            "localhost:8443", f"localhost:{stack.port}"
        )
        script += f"{mine}\nprintf '\\0'\n"
    command = [shutil.which("bash") or "bash", "-c", script]
    done = subprocess.run(command, cwd=stack.checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout.split("\0")[:-1]


def test_the_lines_of_the_page_show_a_hit_a_write_and_the_fresh_read(stack: Stack) -> None:
    *_, three, _id, written, fresh = shown(stack)

    origins = [line.lower().removeprefix("x-cache: ") for line in three.splitlines()]
    assert origins[0] == "miss"
    assert origins[-1] in {"hit", "edge-hit"}
    [name] = re.findall(r'"name": ?"(Sciences, as of [^"]+)"', written)
    assert "x-cache: miss" in fresh.lower()
    assert name in fresh


def test_it_is_told_where_everything_is_and_a_second_start_changes_nothing(stack: Stack) -> None:
    supervisor = stack.supervisor()

    said = stack.make("up").stdout

    assert said == f"The stack is up already, on https://localhost:{stack.port}; `make stack-down` ends it.\n"
    assert stack.supervisor() == supervisor
    environment = (stack.home / "environment").read_text()
    assert {"DATABASE_REPLICA_URLS", "DATABASE_DIRECT_URL", "REDIS_STATE_URL"} <= set(
        re.findall("^[A-Z_]+", environment, re.MULTILINE)
    )


def test_an_edge_that_is_killed_is_started_again(stack: Stack) -> None:
    token, killed = stack.log_in(), stack.process("nginx")

    killed.kill()

    assert eventually(lambda: is_back(stack, killed, "nginx"))
    assert eventually(lambda: serves(stack, token))


def serves(stack: Stack, token: str) -> bool:
    try:
        return stack.ask("/students/?page_size=1", token)[0] == 200
    except OSError:  # nginx does not listen yet
        return False


def is_back(stack: Stack, killed: psutil.Process, *words: str) -> bool:
    try:
        return stack.process(*words) != killed
    except (ValueError, psutil.Error):
        return False


def test_the_product_is_spread_over_its_parts(stack: Stack) -> None:
    commands = [" ".join(child.cmdline()) for child in stack.supervisor().children()]

    parts = {"gunicorn": 2, "celery": 2, "manage.py relay": 1, "pgbouncer": 1, "nginx": 1, "valkey-server": 2}
    parts |= {"replica1": 1, "replica2": 1, "analytics": 1}
    assert {part: sum(part in command for command in commands) for part in parts} == parts
    addresses = {
        connection.laddr.ip
        for process in [stack.supervisor(), *stack.supervisor().children(recursive=True)]
        for connection in connections_of(process)
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def connections_of(process: psutil.Process) -> list[Any]:
    """Return the connections of a process; of one that has ended meanwhile, none."""
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:
        return []


def test_what_was_killed_stops_no_later_start_and_goes_without_a_trace(stack: Stack) -> None:
    supervisor = stack.supervisor()

    kill_all([stack.process("postgres", "stack/postgres/data"), supervisor])
    again = stack.make("up")

    assert again.returncode == 0, again.stdout + again.stderr
    assert stack.supervisor() != supervisor
    assert stack.ask("/students/?page_size=1", stack.log_in())[0] == 200

    done = stack.make("down")

    assert (done.returncode, done.stderr) == (0, "")
    assert processes_in(stack.checkout) == []
    assert stack.make("down").stdout == "No stack is up.\n"


def test_a_taken_port_is_said_before_anything_starts(idle: Stack) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        done = idle.make("up", PORT=str(other.getsockname()[1]))

    assert done.returncode == 1
    assert "is taken by another program: `PORT=" in done.stderr
    assert processes_in(idle.checkout) == []


@pytest.mark.parametrize(("name", "value"), [("PORT", "443"), ("SCALE", "huge"), ("APP_REPLICAS", "none")])
def test_a_wish_that_cannot_be_met_is_refused(idle: Stack, name: str, value: str) -> None:
    done = idle.make("up", **{name: value})

    assert done.returncode == 1
    assert f"{name}={value}" in done.stderr
    assert processes_in(idle.checkout) == []


def test_what_the_system_lacks_is_named_with_the_line_that_installs_it(idle: Stack) -> None:
    code = "import sys; from campushub360.local import packages; packages.find_program = lambda name: None; "
    code += "from campushub360.local.stack.__main__ import main; sys.exit(main('up'))"

    done = subprocess.run([sys.executable, "-c", code], cwd=idle.checkout, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "nginx, pgbouncer: not installed; `make system-packages`" in done.stderr
    assert "apt-get install nginx pgbouncer" in done.stderr
