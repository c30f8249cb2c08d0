"""Where and of what something is measured: the machine, the programs, the commit."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any


def described() -> dict[str, Any]:
    """Return what the figures depend on besides the code; Django has to be set up."""
    from django.db import connection

    from benchmarks.servers import versions

    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "processor": next(_processors(), platform.processor()),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "python": platform.python_version(),
        "django": version("Django"),
        "gunicorn": version("gunicorn"),
        "gevent": version("gevent"),
        "postgresql": connection.pg_version // 10000,  # type: ignore[attr-defined]  # of the PostgreSQL backend alone
        "wrk": _said_version("wrk"),
        "nginx": _said_version("nginx"),
        "baselines": versions(),
    }


def _processors() -> Iterator[str]:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            yield line.partition(":")[2].strip()


def _said_version(program: str) -> str:
    """Return the first number that a program gives with `-v`, or "absent"."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        return "absent"
    said = subprocess.run([path, "-v"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "unknown"


def commit() -> str:
    """Name the commit measured, and say so where files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    # Whoever the checkout belongs to: nothing of what it says is run.
    asked = [git, "-c", "safe.directory=*", "describe", "--always", "--dirty", "--exclude=*"]
    described = subprocess.run(asked, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
