"""`make run`, really run: a copy of the checkout goes from nothing to a first request, and to nothing again."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from campushub360.local import CHECKOUT
from campushub360.local.clean import clean
from tests.local.conftest import eventually, kill_all, processes_in

pytestmark = pytest.mark.slow

LEFT_BEHIND = (".venv", ".campus", ".git", "tests", "docs", "__pycache__", ".*_cache", ".coverage*", "node_modules")
PASSWORD = "a-password-for-every-demo-account"


@dataclass
class Run:
    """One `make run` of a checkout, on a port of its own."""

    checkout: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.output = self.checkout / f"output-{self.port}.txt"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.checkout), "WEB_CONCURRENCY": "1"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "campushub360.local.supervisor"],
                cwd=self.checkout,
                env=environment | {"PORT": str(self.port)} | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def is_up(self) -> bool:
        """Wait until it says that it runs, and return whether it does."""
        eventually(lambda: "Ctrl-C stops" in self.text or self.process.poll() is not None, seconds=180)
        return self.process.poll() is None

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.status

    def log_in(self, role: str, password: str) -> dict[str, object]:
        body = json.dumps({"email": f"{role}@demo.campushub360.example", "password": password}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/auth/token/", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def child(self, word: str) -> psutil.Process:
        return next(process for process in self.children() if word in " ".join(process.cmdline()))


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of the checkout that has run once, so that every test here is a second start."""
    copy = tmp_path_factory.mktemp("run") / "CampusHub360"
    shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    first = Run(copy, free_port(), {"DEMO_PASSWORD": PASSWORD})
    assert first.is_up(), first.text
    assert first.get("/readyz") == 200
    assert first.stop() == 0, first.text
    yield copy
    clean(copy, copy / ".campus")


@pytest.fixture
def run(checkout: Path) -> Iterator[Run]:
    """Return a run that is up; whatever the test does to it, nothing of it is left afterwards."""
    run = Run(checkout, free_port(), {"DEMO_PASSWORD": PASSWORD})
    assert run.is_up(), run.text
    yield run
    if run.process.poll() is None:
        run.stop()


def test_it_serves_the_api_its_pages_and_the_admin(run: Run) -> None:
    assert run.get("/readyz") == 200
    assert run.get("/api/v1/docs/") == 200
    assert run.get("/admin/login/") == 200
    assert f"running on http://127.0.0.1:{run.port}" in run.text


def test_the_password_it_prints_opens_each_account_it_prints(run: Run) -> None:
    assert f"password {PASSWORD}" in run.text

    tokens = run.log_in("registrar", PASSWORD)

    assert tokens["success"] is True
    assert "system_admin@demo.campushub360.example" in run.text


def test_without_a_wish_the_password_is_made_up_once_and_works(checkout: Path) -> None:
    printed = []
    for _ in range(2):
        run = Run(checkout, free_port())
        assert run.is_up(), run.text
        printed.append(run.text.split("with the password ")[1].split()[0])
        assert run.log_in("student", printed[-1])["success"] is True
        run.stop()

    assert printed[0] == printed[1] != PASSWORD


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_stop_leaves_no_process(run: Run, number: signal.Signals) -> None:
    assert run.stop(number) == 0

    assert processes_in(run.checkout) == []
    order = [line.split("stopping ")[1].split()[0] for line in run.text.splitlines() if "stopping " in line]
    assert order == ["web", "worker", "relay", "PostgreSQL"]


def test_output_that_nobody_watches_has_no_colour_and_no_movement(run: Run) -> None:
    assert "\x1b" not in run.text
    assert "\r" not in run.text


def test_a_taken_port_is_said_before_anything_starts(checkout: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        run = Run(checkout, port)

        assert run.process.wait(30) == 1

    assert f"make run: port {port} is taken by another program: `PORT=" in run.text
    assert "PostgreSQL" not in run.text


@pytest.mark.parametrize("port", ["none", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(checkout: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "campushub360.local.supervisor"],
        cwd=checkout,
        env={"PORT": port, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, f"make run: PORT={port} is not a port number: use 1 to 65535\n")


def test_a_second_run_of_the_same_checkout_names_the_first(run: Run) -> None:
    second = Run(run.checkout, free_port())

    assert second.process.wait(30) == 1
    assert f"runs already, on http://127.0.0.1:{run.port} (process {run.process.pid})" in second.text
    assert run.get("/readyz") == 200


@pytest.mark.parametrize("word", ["gunicorn", "celery", "relay"])
def test_when_one_part_dies_all_stop_and_its_last_words_are_shown(run: Run, word: str) -> None:
    victim = run.child(word)

    victim.kill()

    assert run.process.wait(90) == 1
    assert "ended by itself (status -9), so everything stops" in run.text
    assert processes_in(run.checkout) == []


def test_a_killed_run_leaves_nothing_that_stops_the_next(run: Run) -> None:
    children = run.children()

    run.process.kill()
    run.process.wait()
    again = Run(run.checkout, free_port(), {"DEMO_PASSWORD": PASSWORD})

    assert again.is_up(), again.text
    assert again.get("/readyz") == 200
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert again.stop() == 0


def test_killing_everything_at_once_loses_no_data(run: Run) -> None:
    kill_all([*run.children(), *processes_in(run.checkout)])
    run.process.wait()

    again = Run(run.checkout, free_port(), {"DEMO_PASSWORD": PASSWORD})

    assert again.is_up(), again.text
    assert again.log_in("registrar", PASSWORD)["success"] is True
    assert again.stop() == 0


def test_a_command_uses_the_same_database_whether_or_not_it_runs(checkout: Path, run: Run) -> None:
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    count = "from students.models import Student; print(Student.objects.count())"

    def students() -> str:
        done = subprocess.run(
            [*command, count],
            cwd=checkout,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    while_it_runs = students()
    run.stop()

    assert int(while_it_runs) > 0
    assert students() == while_it_runs


def test_clean_stops_it_and_removes_its_data(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "CampusHub360"
    shutil.copytree(run.checkout, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    other = Run(copy, free_port())
    assert eventually(lambda: (copy / ".campus" / "postgres" / "state.json").exists() and bool(other.text), seconds=60)

    clean(copy, copy / ".campus")

    assert other.process.wait(60) in {0, 1}
    assert not (copy / ".campus").exists()
    assert processes_in(copy) == []
    assert run.get("/readyz") == 200
