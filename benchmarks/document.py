"""Writes what a run found out into `docs/performance.md`, between two marks, and draws the chart beside it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.results import measured, verdict
from benchmarks.servers import ServerError
from campushub360.local import CHECKOUT, HOME
from campushub360.local.environment import INSTALL_SECONDS, ensure_environment
from campushub360.local.locks import open_lock, wait_for_lock
from campushub360.local.terminal import Terminal

PAGE, CHART = CHECKOUT / "docs" / "performance.md", CHECKOUT / "docs" / "performance.png"
BEGINS, ENDS = "<!-- Written by `make bench`. -->", "<!-- Until here. -->"
DRAWING = CHECKOUT / "benchmarks" / "chart"


def update(results: Mapping[str, Any], terminal: Terminal) -> None:
    """Put the figures and the chart of a run into the page."""
    with terminal.step("docs/performance.md"):
        PAGE.write_text(replaced(PAGE.read_text(), section(results)))
        draw(results, CHART, terminal)


def replaced(page: str, section: str) -> str:
    """Return the page with another section between the marks."""
    before, _, rest = page.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return f"{before}{BEGINS}\n\n{section}\n{ENDS}{after}"


def section(results: Mapping[str, Any]) -> str:
    """Return the machine and, for each scenario, its command, its data and its figures."""
    machine = results["machine"]
    built_with = ", ".join(f"{each} {machine[each.lower()]}" for each in ("Python", "PostgreSQL", "nginx", "wrk"))
    where = f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}"
    lines = [
        f"Commit `{results['commit']}`. {where}, {built_with}; the load generator runs beside what it asks.",
        "",
        "| Target | Promised | Measured | Verdict |",
        "|---|---|---|---|",
        *_promises(results["targets"]),
        "",
        f"![How far above or below its bound each target came out]({CHART.name})",
    ]
    for name, facts in results["scenarios"].items():
        rows = [row for row in results["orientation"] if row["scenario"] == name]
        data = ", ".join(f"{value:,} {what}" for what, value in facts["data"].items() if what != "scale")
        lines += ["", f"`{name}`: `{facts['command']}` at {facts['measured_at']}, {facts['seconds']:.0f} s; {data}."]
        if rows:
            lines += ["", "| For orientation | |", "|---|---|"]
            lines += [f"| {row['name']} | {measured(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _promises(targets: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in targets:
        outcome = verdict(row).rpartition(": ")[2]
        yield f"| {row['name']} | {row['bound']} {row['target']:,g} | {measured(row)} | {outcome} |"


def draw(results: Mapping[str, Any], file: Path, terminal: Terminal) -> None:
    """Draw the chart; raise `ServerError` where it cannot be drawn."""
    lock = open_lock(HOME / "chart.lock")
    wait_for_lock(lock, seconds=INSTALL_SECONDS)
    try:
        ensure_environment("requirements", folder=HOME / "chart", requirements=DRAWING, terminal=terminal)
    finally:
        os.close(lock)
    command = [str(HOME / "chart" / "bin" / "python"), str(DRAWING / "draw.py"), str(file)]
    done = subprocess.run(command, input=json.dumps(results), text=True, capture_output=True, check=False)
    if done.returncode:
        raise ServerError(f"the chart could not be drawn: {done.stderr[-2000:]}")
