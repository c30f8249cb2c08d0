"""`make run`, really run: a copy of the checkout goes from nothing to a first request, and to nothing again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from campushub360.local.clean import clean
from campushub360.local.secrets import secret
from tests.local.conftest import (
    LEFT_BEHIND,
    Run,
    Runs,
    eventually,
    free_port,
    give_to,
    kill_all,
    ordinary_account,
    processes_in,
)

# Together in one worker: they share a copy of the checkout, of which there can be one run at a time.
pytestmark = [pytest.mark.slow]

PASSWORD = "a-password-for-every-demo-account"


@pytest.fixture
def run(runs: Runs) -> Run:
    """Provide a run that is up."""
    return runs.start(DEMO_PASSWORD=PASSWORD)


def test_a_person_starts_it_looks_around_and_ends_it_with_ctrl_c(run: Run) -> None:
    assert f"running on http://127.0.0.1:{run.port}" in run.text
    assert [run.get(path) for path in ("/readyz", "/api/v1/docs/", "/admin/login/")] == [200, 200, 200]
    assert f"password {PASSWORD}" in run.text
    assert "system_admin@demo.campushub360.example" in run.text
    assert run.log_in("registrar", PASSWORD)["success"] is True
    run.post("/api/v1/auth/password/reset/", {"email": "student@demo.campushub360.example"})
    mails = run.checkout / ".campus" / "logs" / "worker.log"
    assert eventually(lambda: f"http://localhost:{run.port}/password-reset#" in mails.read_text())

    assert run.stop(signal.SIGINT) == 0
    assert processes_in(run.checkout) == []
    order = [line.split("stopping ")[1].split()[0] for line in run.text.splitlines() if "stopping " in line]
    assert order == ["web", "worker", "relay", "PostgreSQL"]
    assert not {"\x1b", "\r"} & set(run.text), "nobody watches: no colour and no movement"


@pytest.mark.usefixtures("run")
def test_without_a_wish_the_password_is_made_up_once_and_opens_the_accounts(runs: Runs) -> None:
    other = runs.start()

    printed = other.text.split("with the password ")[1].split()[0]
    assert printed == secret("demo-password", home=other.checkout / ".campus") != PASSWORD
    assert other.log_in("student", printed)["success"] is True


def test_a_command_finds_the_same_database_whether_or_not_it_runs(run: Run) -> None:
    while_it_runs = count_students(run.checkout)
    assert run.stop(signal.SIGTERM) == 0

    assert while_it_runs > 0
    assert count_students(run.checkout) == while_it_runs
    assert eventually(lambda: processes_in(run.checkout) == [])


def test_a_second_run_of_the_same_checkout_names_the_first(run: Run) -> None:
    second = Run(run.checkout, free_port())

    assert second.process.wait(30) == 1
    assert f"runs already, on http://127.0.0.1:{run.port} (process {run.process.pid})" in second.text
    assert run.get("/readyz") == 200


def test_when_one_part_dies_all_stop_and_its_last_words_are_shown(run: Run) -> None:
    assert eventually(lambda: b" ready." in run.log_of("worker")[run.logged_before :])

    next(process for process in run.children() if "celery" in " ".join(process.cmdline())).kill()

    assert run.process.wait(90) == 1
    assert "worker ended by itself (status -9), so everything stops" in run.text
    words = run.text.partition("worker.log:\n")[2].rstrip().encode()
    assert words in run.log_of("worker")
    assert words.splitlines()[-1] in run.log_of("worker")[run.logged_before :]
    assert processes_in(run.checkout) == []


def test_the_recurring_chores_are_done_from_the_start(run: Run) -> None:
    assert eventually(lambda: standing_of_chores(run.checkout).returncode == 0, seconds=60)
    assert "ok     purge_outbox, last done " in standing_of_chores(run.checkout).stdout


def test_the_scheduler_dies_with_a_killed_worker(run: Run) -> None:
    worker = next(process for process in run.children() if "celery" in " ".join(process.cmdline()))
    assert eventually(lambda: len(worker.children()) == 3), "two that do tasks, and the scheduler"
    forked = worker.children()

    kill_all([psutil.Process(run.process.pid), worker])
    run.process.wait()

    assert eventually(lambda: not any(is_alive(process) for process in forked))


@pytest.mark.parametrize("victims", ["the supervisor", "everything"])
def test_what_is_killed_leaves_nothing_that_stops_the_next_start(run: Run, runs: Runs, victims: str) -> None:
    children = run.children()

    kill_all([psutil.Process(run.process.pid), *(processes_in(run.checkout) if victims == "everything" else [])])
    run.process.wait()
    again = runs.start(DEMO_PASSWORD=PASSWORD)

    assert again.log_in("registrar", PASSWORD)["success"] is True
    assert not any(is_alive(child) for child in children)


def test_a_taken_port_is_said_before_anything_starts(runs: Runs, checkout: Path) -> None:
    runs.end()
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        run = Run(checkout, port)

        assert run.process.wait(30) == 1

    assert run.text.startswith(f"make run: port {port} is taken by another program: `PORT=")
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


def test_an_ordinary_user_runs_it_with_what_is_theirs_alone(runs: Runs, checkout: Path) -> None:
    runs.end()
    account = ordinary_account(checkout)
    user = give_to(account, checkout)

    run = Run(checkout, free_port(), {"DEMO_PASSWORD": PASSWORD}, account)

    assert run.is_up(), run.text
    assert run.get("/readyz") == 200
    assert run.log_in("registrar", PASSWORD)["success"] is True
    assert {process.uids().effective for process in processes_in(checkout)} == {user}
    assert run.stop(signal.SIGINT) == 0, run.text
    assert processes_in(checkout) == []
    assert {path.lstat().st_uid for path in (checkout / ".campus").rglob("*")} == {user}


def test_clean_stops_a_run_that_is_still_starting_and_removes_its_data(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "CampusHub360"
    shutil.copytree(checkout, copy, ignore=LEFT_BEHIND)
    run = Run(copy, free_port())
    assert eventually((copy / ".campus" / "postgres" / "state.json").exists, seconds=60)

    clean(copy, copy / ".campus")

    assert run.process.wait(60) in {0, 1}
    assert not (copy / ".campus").exists()
    assert processes_in(copy) == []


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def standing_of_chores(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Ask how the recurring chores stand."""
    command = [sys.executable, "manage.py", "chores"]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def count_students(checkout: Path) -> int:
    """Ask a management command, in a shell that knows nothing of any server."""
    code = "from students.models import Student; print(Student.objects.count())"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=checkout,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
