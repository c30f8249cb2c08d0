"""The virtual environment of a checkout: made once, filled from a lock file, left alone until that file changes.

This runs on the system's Python, before anything is installed, so it needs the standard library alone.
"""

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path

from campushub360.local import CHECKOUT, HOME
from campushub360.local.locks import open_lock, wait_for_lock
from campushub360.local.terminal import Terminal

SUPERSETS = {"demo": ("demo", "development"), "development": ("development",)}
INSTALL_SECONDS = 1800


class NoEnvironmentError(Exception):
    """The environment cannot be had; the message says why and what to do."""


def ensure_environment(name: str, *, folder: Path, requirements: Path, terminal: Terminal) -> None:
    """Make `folder` a virtual environment that holds exactly the hashes of `requirements`/`name`.txt, or more."""
    stamp = folder / ".requirements.json"
    supersets = SUPERSETS.get(name, (name,))
    hashes = {each: _hash(requirements / f"{each}.txt") for each in supersets}
    installed = json.loads(stamp.read_text()) if stamp.exists() else {}
    python = folder / "bin" / "python"
    if not _works(python):
        installed = {}
        with terminal.step(f"virtual environment in {folder.name}"):
            _create(folder)
    if any(installed.get(other) == hashes[other] for other in supersets):
        return
    stamp.unlink(missing_ok=True)
    terminal.say(f"  installing {requirements.name}/{name}.txt (a minute or two the first time)")
    with terminal.step(f"{requirements.name}/{name}.txt"):
        _install(python, requirements / f"{name}.txt")
    stamp.write_text(json.dumps({**installed, name: hashes[name]}))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _works(python: Path) -> bool:
    """Return whether `python` runs; after an upgrade of the system it may be a link to nothing."""
    try:
        return subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _create(folder: Path) -> None:
    try:
        import ensurepip  # noqa: F401 - some systems ship venv without what it needs
    except ImportError as error:
        raise NoEnvironmentError(
            f"{sys.executable} cannot make virtual environments: install python3-venv (Debian, Ubuntu: "
            "`apt-get install python3-venv`), or name another Python with `make PYTHON=...`"
        ) from error
    try:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoEnvironmentError(f"{folder} cannot be made: {error}") from error


def _install(python: Path, requirements: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode != 0:
        raise NoEnvironmentError(f"pip could not install {requirements.name}:\n{done.stderr.strip()}")


def main(name: str) -> int:
    """Bring the checkout's environment up to date and return the exit status."""
    lock = open_lock(HOME / "environment.lock")
    wait_for_lock(lock, seconds=INSTALL_SECONDS)
    try:
        ensure_environment(name, folder=CHECKOUT / ".venv", requirements=CHECKOUT / "requirements", terminal=Terminal())
    except NoEnvironmentError as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
