"""`make bench`: runs every scenario against a database of its own, prints the targets and writes `results/latest.json`.

The database is kept between runs, so that the second one starts at once; so is the baselines' environment.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from campushub360.local.environment import NoEnvironmentError
from campushub360.local.terminal import Terminal

RESULTS = Path(__file__).parent / "results" / "latest.json"
SCENARIOS = ["authorization", "lists", "imports", "staleness"]


def main() -> int:
    """Return 0 when every promise was kept; in a quick run, when everything could be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works; no figure to quote")
    parser.add_argument("--scale", default="small", choices=["small", "medium", "large"], help="of the demo data")
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario alone")
    arguments = parser.parse_args()
    import django

    django.setup()
    from benchmarks import authorization, data, imports, lists, servers
    from benchmarks.harness import FULL, QUICK, Target, report
    from benchmarks.load import LoadError, installed
    from benchmarks.staleness import scenario as staleness
    from benchmarks.staleness.stack import StackIsDownError

    chosen = [arguments.only] if arguments.only else SCENARIOS
    measured: list[Target] = []
    try:
        if "staleness" in chosen:
            measured += staleness.targets(quick=arguments.quick)
        if "lists" in chosen:
            for name in ("wrk", "nginx"):
                installed(name)
            servers.install_baselines(Terminal())
        with data.prepared(arguments.scale):
            size = QUICK if arguments.quick else FULL
            if "authorization" in chosen:
                with data.kept():
                    measured += authorization.targets(size)
            if "lists" in chosen:
                measured += lists.targets(size)
            if "imports" in chosen:
                measured += imports.targets()
            machine = {**_machine(), **_data(arguments.scale), "scenarios": chosen, "quick": arguments.quick}
    except (LoadError, StackIsDownError, NoEnvironmentError, lists.DifferentPagesError, servers.ServerError) as error:
        sys.stderr.write(f"make bench: {error}\n")
        return 1
    sys.stdout.write(report(measured, machine=machine, commit=_commit(), file=RESULTS))
    return 0 if arguments.quick or all(target.ok for target in measured if target.is_promise) else 1


def _machine() -> dict[str, Any]:
    from django.db import connection

    from benchmarks.servers import versions

    return {
        "cores": os.cpu_count(),
        "processor": next(
            (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").open() if line.startswith("model name")),
            platform.processor(),
        ),
        "python": platform.python_version(),
        "django": version("Django"),
        "gunicorn": version("gunicorn"),
        "gevent": version("gevent"),
        "postgresql": connection.pg_version // 10000,  # type: ignore[attr-defined]  # of the PostgreSQL backend alone
        "wrk": _said_version("wrk"),
        "nginx": _said_version("nginx"),
        "baselines": versions(),
    }


def _data(scale: str) -> dict[str, Any]:
    from students.models import ProgramEnrollment, Student

    rows = {"students": Student.objects.count(), "program enrolments": ProgramEnrollment.objects.count()}
    return {"data": f"seed_demo --scale {scale}", "rows": rows}


def _said_version(program: str) -> str:
    """Return the first number that a program gives with `-v`, or "absent"."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        return "absent"
    said = subprocess.run([path, "-v"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "unknown"


def _commit() -> str:
    """Name the commit measured, and say so where files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [git, "describe", "--always", "--dirty", "--exclude=*"]
    described = subprocess.run(asked, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
