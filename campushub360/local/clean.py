"""`make clean`: stop whatever runs out of this checkout, then remove its data and every cache.

The virtual environment stays: it holds nothing of yours, and making it takes the longest.
"""

import json
import shutil
import sys
from pathlib import Path

import psutil

from campushub360.local import CHECKOUT, HOME
from campushub360.local.engine import ServersError
from campushub360.local.locks import is_held, open_lock, wait_for_lock
from campushub360.local.servers import stop_servers
from campushub360.local.stack import StackError
from campushub360.local.stack.__main__ import down
from campushub360.local.terminal import Terminal

CACHES = (
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "htmlcov",
    "staticfiles",
)
STOP_SECONDS = 120


def clean(checkout: Path, home: Path) -> None:
    """Stop and remove everything a run or a test made; raise ServersError if something does not stop."""
    stop_run(home)
    if (home / "stack").exists():
        down(Terminal(), home / "stack")
    stop_servers(home=home)
    rubbish = [home, *(checkout / name for name in CACHES), *checkout.glob(".coverage*")]
    rubbish += [path for path in checkout.rglob("__pycache__") if ".venv" not in path.parts]
    for path in rubbish:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def stop_run(home: Path) -> None:
    """End the `make run` of this checkout, if there is one, as Ctrl-C would."""
    if not is_held(home / "run.lock"):
        return
    pid, began = json.loads((home / "run.json").read_text())["supervisor"]
    if psutil.pid_exists(pid) and psutil.Process(pid).create_time() == began:
        psutil.Process(pid).terminate()
    if not wait_for_lock(open_lock(home / "run.lock"), seconds=STOP_SECONDS):
        raise ServersError(f"`make run` (process {pid}) does not stop")


if __name__ == "__main__":
    try:
        clean(CHECKOUT, HOME)
    except (ServersError, StackError, OSError) as error:
        sys.exit(f"make clean: {error}")
