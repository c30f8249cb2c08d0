"""Packages of the system that are missing: how they come, and what becomes of the tests that need them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from campushub360.local import CHECKOUT

TESTS = """
import pytest
from campushub360.local import packages

packages.PACKAGES = (packages.Package("a-proxy", ("no-such-program",)), packages.Package("a-shell", ("sh",)))
pytest_plugins = ["tests.needs"]
"""
SOME = """
import pytest

@pytest.mark.needs("a-proxy", "a-shell")
@pytest.mark.parametrize("case", range(3))
def test_of_the_proxy(case): raise AssertionError

@pytest.mark.needs("a-shell")
def test_of_the_shell(): pass
"""


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """Return a folder of tests, of which one needs what is nowhere."""
    (tmp_path / "conftest.py").write_text(TESTS)
    (tmp_path / "test_some.py").write_text(SOME)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs\n")
    return tmp_path


def run(tests: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:randomly", *options, str(tests)],
        cwd=tests, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **environment},
    )  # fmt: skip


def test_what_lacks_a_package_is_left_out_and_named_with_the_command_also_by_workers(tests: Path) -> None:
    done = run(tests, "-n", "1")

    *_, named, command, last = done.stdout.splitlines()
    assert done.returncode == 0
    assert named == "test_some.py: test_of_the_proxy"
    assert command == "These tests need a-proxy, which this system has not: `make system-packages` installs it."
    assert "1 passed" in last


def test_continuous_integration_leaves_nothing_out(tests: Path) -> None:
    done = run(tests, CI="true")

    assert done.returncode == 1
    assert "1 passed, 3 deselected" in done.stdout
    assert "Here none may be left out." in done.stdout


def test_a_package_that_is_not_on_the_list_is_a_mistake(tests: Path) -> None:
    (tests / "test_some.py").write_text(SOME.replace('"a-shell")\ndef', '"a-shelf")\ndef'))

    done = run(tests)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "needs(a-shelf): no package of campushub360.local.packages" in done.stderr


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder of programs that write down how they are called: a Debian that has no wrk, and no Chromium."""
    said = tmp_path / "said"
    for name, script in {
        "apt-get": f'echo "$@" >> {said}',
        "apt-cache": '[ "$LC_ALL" = C ] && word=Candidate || word=Installationskandidat\n'
        'case "$2" in chromium*) ;; *) echo "  $word: 1.0" ;; esac',
        "sudo": 'for word; do case "$word" in -*|*=*) shift ;; *) exec "$@" ;; esac; done',
        "service": "",
        "systemctl": "",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def install(programs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "campushub360.local.packages", *options]
    environment = {"PATH": str(programs), "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def test_what_is_missing_and_offered_is_installed_and_the_rest_is_named(programs: Path) -> None:
    done = install(programs)

    asked = (programs / "said").read_text().splitlines()
    assert done.returncode == 1
    assert asked[0].endswith(" update")
    assert "wrk" in asked[-1].split()
    assert "chromium" not in asked[-1]
    assert done.stderr == "make system-packages: this system does not offer chromium, chromium-driver\n"


def test_tests_begin_although_nothing_could_be_installed(programs: Path) -> None:
    (programs / "apt-get").write_text("#!/bin/sh\necho no network\nexit 100\n")

    done = install(programs, "--where-allowed")

    assert done.returncode == 0
    assert os.geteuid() != 0 or "no network" in done.stderr


def test_a_system_of_another_kind_is_told_what_to_install(programs: Path) -> None:
    (programs / "apt-get").unlink()

    done = install(programs)

    assert done.returncode == 1
    assert "neither Debian nor Ubuntu: install" in done.stderr
