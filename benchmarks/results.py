"""What a run found out, kept scenario by scenario: a run that was broken off goes on where it was.

`results/latest.json` holds whatever was measured of one commit, at one scale; figures of another are never beside them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.harness import Target

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True)
class Part:
    """What one scenario found out, on which data and when."""

    scenario: str
    commit: str
    measured_at: str
    seconds: float
    data: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]

    def save(self, folder: Path) -> None:
        """Keep it in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.scenario}.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path, scenario: str) -> Self | None:
        """Return what a folder keeps of a scenario."""
        file = folder / f"{scenario}.json"
        return cls(**json.loads(file.read_text())) if file.exists() else None


def parts_of(folder: Path, scenarios: Iterable[str], *, commit: str) -> dict[str, Part]:
    """Return what is kept of a commit: nothing, where files differ from it and nobody can say how."""
    found = {name: Part.load(folder, name) for name in scenarios}
    return {
        name: part for name, part in found.items() if part and part.commit == commit and not commit.endswith("-dirty")
    }


def composed(parts: Iterable[Part], *, machine: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """Return what `latest.json` says."""
    parts = list(parts)
    rows = [{"scenario": part.scenario, **row} for part in parts for row in part.targets]
    return {
        "machine": machine,
        "commit": commit,
        "scenarios": {
            part.scenario: {"measured_at": part.measured_at, "seconds": part.seconds, **part.data} for part in parts
        },
        **parted(rows),
    }


def parted(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what was promised, each with its verdict, apart from what is told for orientation."""
    return {
        "targets": [row for row in rows if "ok" in row],
        "orientation": [row for row in rows if "ok" not in row],
    }


def write(results: Mapping[str, Any], file: Path = RESULTS) -> None:
    """Write the results of a run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=2) + "\n")


def rows_of(targets: Iterable[Target]) -> list[dict[str, Any]]:
    """Return targets as they are written."""
    return [target.as_json() for target in targets]


def table(results: Mapping[str, Any]) -> str:
    """Return the results as somebody reads them in a terminal."""
    rows = [*results["targets"], *results["orientation"]]
    width = max((len(row["name"]) for row in rows), default=0)
    lines = [f"{'':{width}}  {'measured':>18}  target"]
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        lines.append(scenario)
        lines += [
            f"{row['name']:{width}}  {measured(row):>18}  {verdict(row)}".rstrip()
            for row in rows
            if row["scenario"] == scenario
        ]
    return "".join(f"{line}\n" for line in lines)


def measured(row: Mapping[str, Any]) -> str:
    """Return what was measured, with its unit."""
    value = row["measured"]
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}".rstrip("0").rstrip(".")  # noqa: PLR2004
    return f"{text} {row['unit']}"


def verdict(row: Mapping[str, Any]) -> str:
    """Return what was promised and whether it was kept; nothing for what is no promise."""
    if "ok" not in row:
        return ""
    return f"{row['bound']} {row['target']:,g}: {'met' if row['ok'] else 'MISSED'}"
