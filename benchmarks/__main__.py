"""`make bench`: runs every scenario against a database of its own, prints the targets and writes `results/latest.json`.

The servers are those of the tests; the database is kept between runs, so that the second one starts at once.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """Return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works; no figure to quote")
    arguments = parser.parse_args()
    import django

    django.setup()
    from benchmarks import authorization, data
    from benchmarks.harness import FULL, QUICK, report

    with data.prepared():
        measured = list(authorization.targets(QUICK if arguments.quick else FULL))
        machine = {**_machine(), "data": "seed_demo --scale small", "quick": arguments.quick}
    sys.stdout.write(report(measured, machine=machine, commit=_commit(), file=RESULTS))
    return 0 if all(target.ok for target in measured if target.is_promise) else 1


def _machine() -> dict[str, Any]:
    from django.db import connection

    return {
        "cores": os.cpu_count(),
        "processor": next(
            (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").open() if line.startswith("model name")),
            platform.processor(),
        ),
        "python": platform.python_version(),
        "django": version("Django"),
        "postgresql": connection.pg_version // 10000,  # type: ignore[attr-defined]  # of the PostgreSQL backend alone
    }


def _commit() -> str:
    """Name the commit measured, and say so where files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [git, "describe", "--always", "--dirty", "--exclude=*"]
    # Its arguments are all written here.
    described = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
