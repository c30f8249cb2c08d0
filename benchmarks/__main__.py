"""`make bench`: runs every scenario, prints the targets, and writes `results/latest.json` and `docs/performance.md`.

Those about the whole topology ask the stack that `make stack` has started, and start one for themselves where none is
up; the others have a database of their own. That is kept between runs, so that the second one starts at once; so is the
baselines' environment.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campushub360.local import HOME
from campushub360.local.environment import NoEnvironmentError
from campushub360.local.locks import open_lock, try_lock
from campushub360.local.terminal import Terminal

if TYPE_CHECKING:  # what imports Django waits until it is set up
    from benchmarks.harness import Size, Target
    from benchmarks.stack import Stack

# What each scenario needs: the stack, or a database filled with demo data.
STACKED = ("edge", "mixed", "staleness")
ALONE = ("authorization", "log_ins", "lists", "hits", "tables", "writes", "rosters", "attendance", "imports")
SCENARIOS = (*ALONE, *STACKED)
NEED_BASELINES = {"lists", "hits", "tables", "rosters"}


def main() -> int:
    """Return 0 when every promise was kept; in a quick run, when all that was answered was right."""
    arguments = _arguments()
    os.environ["DJANGO_SETTINGS_MODULE"] = "campushub360.settings.testing"
    os.environ["TEST_DATABASE_NAME"] = f"benchmarks_{arguments.scale}_campushub360"
    import django

    django.setup()
    from benchmarks import document, machine, results, servers
    from benchmarks.load import LoadError, installed

    terminal, commit = Terminal(), machine.commit()
    if not try_lock(open_lock(HOME / "bench.lock")):
        sys.stderr.write("make bench: another run is at it in this checkout\n")
        return 1
    chosen = arguments.only or list(SCENARIOS)
    folder = HOME / "bench" / f"{'quick' if arguments.quick else 'full'}-{arguments.scale}"
    kept = results.parts_of(folder, SCENARIOS, commit=commit)
    left = [name for name in chosen if not (arguments.resume and name in kept)]
    try:
        for name in ("wrk", "nginx"):
            installed(name)
        if NEED_BASELINES & set(left):
            servers.install_baselines(terminal)
        failed = _run(left, arguments, folder, commit, terminal)
    except (LoadError, NoEnvironmentError, servers.ServerError) as error:
        sys.stderr.write(f"make bench: {error}\n")
        return 1
    parts = []
    for name in SCENARIOS:
        is_fresh = name in left and name not in failed
        part = results.Part.load(folder, name) if is_fresh else None if name in left else kept.get(name)
        parts += [part] if part else []
    found = results.composed(parts, machine={**machine.described(), "quick": arguments.quick}, commit=commit)
    results.write(found)
    sys.stdout.write(results.table(found))
    if not arguments.quick:
        document.update(found, terminal)
    rows = [row for row in found["targets"] if row["scenario"] in chosen]
    return 0 if not failed and all(row["ok"] for row in rows if row["is_correctness"] or not arguments.quick) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works; no figure to quote")
    parser.add_argument("--scale", choices=["small", "medium", "large"], help="of the demo data (medium; quick: small)")
    parser.add_argument("--only", choices=SCENARIOS, nargs="+", help="these scenarios alone")
    parser.add_argument("--resume", action="store_true", help="leave out what was measured of this commit already")
    arguments = parser.parse_args()
    arguments.scale = arguments.scale or ("small" if arguments.quick else "medium")
    return arguments


def _run(
    names: Iterable[str], arguments: argparse.Namespace, folder: Path, commit: str, terminal: Terminal
) -> set[str]:
    """Carry out scenarios and keep what each found out; return those that found out nothing."""
    import psycopg

    from benchmarks import data, stack
    from benchmarks.contenders import DifferentAnswersError
    from benchmarks.harness import FULL, QUICK
    from benchmarks.load import LoadError
    from benchmarks.results import Part, rows_of
    from benchmarks.servers import ServerError
    from benchmarks.staleness.stack import StackIsDownError

    size, failed, names = QUICK if arguments.quick else FULL, set(), list(names)
    with ExitStack() as ends:
        with terminal.step(f"demo data of scale {arguments.scale} (minutes the first time)"):
            ends.enter_context(data.prepared(arguments.scale))
            facts: dict[str, Any] = {"command": _command(), "data": data.described(arguments.scale)}
        up = None
        for number, name in enumerate(names, start=1):
            try:
                if name in STACKED and up is None:
                    # As late as possible: it is not beside what is measured without it.
                    with terminal.step("the stack"):
                        up = ends.enter_context(stack.running(arguments.scale))
                began = time.monotonic()
                with terminal.step(f"{number}/{len(names)} {name}"):
                    rows = rows_of(_targets(name, size, up))
            except (LoadError, ServerError, StackIsDownError, DifferentAnswersError, psycopg.Error) as error:
                failed.add(name)
                terminal.say(f"        {error}")
                continue
            if name in STACKED and up is not None:
                facts = {**facts, "data": up.run("benchmarks.data")}
            at = datetime.now(UTC).isoformat(timespec="seconds")
            Part(name, commit, at, round(time.monotonic() - began, 1), facts, rows).save(folder)
    return failed


def _targets(name: str, size: "Size", up: "Stack | None") -> "Iterable[Target]":
    """Carry out one scenario."""
    if name == "staleness":
        from benchmarks.harness import QUICK
        from benchmarks.staleness import scenario

        return scenario.targets(quick=size == QUICK)
    module: Any = import_module(f"benchmarks.{name}")
    targets: Iterable[Target] = module.targets(size, up) if name in STACKED else module.targets(size)
    return targets


def _command() -> str:
    return " ".join(["python -m benchmarks", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
