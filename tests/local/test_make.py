"""What a person types: the Makefile's targets, and the environment they run in."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from campushub360.local import CHECKOUT
from campushub360.local.environment import NoEnvironmentError, ensure_environment
from campushub360.local.terminal import Terminal

MAKEFILE = (CHECKOUT / "Makefile").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make without the variables that a make above this test may have left."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """Return a directory of lock files that ask for nothing."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    for name in ("demo", "development"):
        (folder / f"{name}.txt").write_text("# nothing\n")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a virtual environment; making one takes seconds, so the tests of this module share it."""
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    lock = folder.parent / "demo.txt"
    lock.write_text("# nothing\n")
    (folder.parent / "development.txt").write_text("# nothing\n")
    ensure_environment("demo", folder=folder, requirements=folder.parent, terminal=Terminal(StringIO()))
    return folder


def ensure(folder: Path, requirements: Path, name: str = "demo") -> str:
    """Bring the environment up to date and return what was said."""
    said = StringIO()
    ensure_environment(name, folder=folder, requirements=requirements, terminal=Terminal(said))
    return said.getvalue()


def test_help_is_the_default_and_gives_each_target_one_line() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    targets = [name for name in phony[1].split() if not name.startswith("environment-")]

    lines = make().stdout.splitlines()

    assert [line.split()[1] for line in lines] == targets
    assert all(re.fullmatch(r"  make [\w-]+ +\S.*", line) for line in lines)
    assert make("help").stdout.splitlines() == lines


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)

    done = make(f"PYTHON={old}", "environment-demo")

    assert done.returncode != 0
    assert f"make: {old} is not Python 3.11 or later: Python 3.9.2" in done.stderr.splitlines()


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    done = make("PYTHON=", "environment-demo")

    assert done.returncode != 0
    assert "no Python 3.11 or later" in done.stderr


def test_the_sample_configuration_that_check_uses_is_one_that_production_accepts() -> None:
    sample = re.search(r"^SAFE_ENVIRONMENT := ((?:[^\n]*\\\n)*[^\n]*)", MAKEFILE, re.MULTILINE)[1].replace("\\\n", " ")
    values = dict(word.split("=", 1) for word in sample.split())
    code = "import campushub360.settings.production"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=values, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_an_environment_is_made_once(environment: Path, requirements: Path) -> None:
    ensure(environment, requirements)

    assert (environment / "bin" / "python").exists()
    assert ensure(environment, requirements) == ""


def test_a_changed_lock_is_installed_anew(environment: Path, requirements: Path) -> None:
    (requirements / "demo.txt").write_text("# nothing, but otherwise\n")

    assert "requirements/demo.txt" in ensure(environment, requirements)
    assert ensure(environment, requirements) == ""


def test_the_development_set_serves_where_the_demo_set_is_asked_for(environment: Path, requirements: Path) -> None:
    (requirements / "demo.txt").write_text("# one\n")
    (requirements / "development.txt").write_text("# more\n")
    ensure(environment, requirements, "development")

    assert ensure(environment, requirements, "demo") == ""


def test_a_lock_that_is_none_of_the_products_is_installed_for_itself(environment: Path, tmp_path: Path) -> None:
    baselines = tmp_path / "baselines"
    baselines.mkdir()
    (baselines / "requirements.txt").write_text("# nothing\n")

    assert "baselines/requirements.txt" in ensure(environment, baselines, "requirements")
    assert ensure(environment, baselines, "requirements") == ""


def test_a_package_whose_hash_is_wrong_is_refused_and_tried_again(
    environment: Path, requirements: Path, tmp_path: Path
) -> None:
    wheel = tmp_path / "wheels" / "altered-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"not what was locked")
    locked = f"altered @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n"
    (requirements / "demo.txt").write_text(locked)

    for _ in range(2):
        with pytest.raises(NoEnvironmentError, match=r"(?s)pip could not install demo\.txt:.*HASH"):
            ensure(environment, requirements)


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path, requirements: Path) -> None:
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/nowhere/python3")
    (folder / ".requirements.json").write_text(json.dumps({"demo": "of the former one"}))

    said = ensure(folder, requirements)

    assert "virtual environment" in said
    assert (folder / "bin" / "python").exists()
