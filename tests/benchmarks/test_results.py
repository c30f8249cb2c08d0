"""What becomes of what was measured: kept, put together, printed and written into the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import document, results
from benchmarks.harness import Target, never, told
from benchmarks.results import Part

DATA = {"command": "python -m benchmarks", "data": {"scale": "small", "students": 1000}}
MACHINE = {
    "cores": 2, "memory_gib": 24.0, "processor": "a processor", "system": "Debian", "python": "3.11", "postgresql": 18,
    "nginx": "1.22", "wrk": "4.1",
}  # fmt: skip


def part(scenario: str, *targets: Target, commit: str = "abc") -> Part:
    return Part(scenario, commit, "2026-11-22T05:00:00+00:00", 12.0, DATA, results.rows_of(targets))


@pytest.fixture
def found() -> dict[str, Any]:
    kept, missed = Target("hits", "at least", 0.7, 0.75, "ratio"), Target("time", "at most", 0.3, 0.4, "ms")
    parts = [
        part("edge", kept, never("stale", 0, 200_000)),
        part("authorization", missed, told("rate", 41_234.5, "/s")),
    ]
    return results.composed(parts, machine=MACHINE, commit="abc")


def test_results_say_what_was_promised_and_what_came_of_it(found: dict[str, Any], tmp_path: Path) -> None:
    results.write(found, tmp_path / "results" / "latest.json")

    written = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert (written["machine"]["cores"], written["commit"]) == (2, "abc")
    assert [(each["scenario"], each["name"], each["ok"]) for each in written["targets"]] == [
        ("edge", "hits", True), ("edge", "stale", True), ("authorization", "time", False),
    ]  # fmt: skip
    assert written["orientation"] == [
        {"scenario": "authorization", "name": "rate", "measured": 41_234.5, "unit": "/s"}
    ]  # fmt: skip
    table = results.table(written)
    assert "at least 0.7: met" in table
    assert "at most 0.3: MISSED" in table
    assert "41,234 /s\n" in table


def test_only_what_is_known_to_be_of_the_same_commit_is_put_beside_other_figures(tmp_path: Path) -> None:
    for scenario, commit in [("edge", "abc"), ("lists", "older"), ("mixed", "abc-dirty")]:
        part(scenario, commit=commit).save(tmp_path)
    scenarios = ["edge", "lists", "mixed", "hits"]

    assert list(results.parts_of(tmp_path, scenarios, commit="abc")) == ["edge"]
    assert results.parts_of(tmp_path, scenarios, commit="abc-dirty") == {}


def test_the_page_names_command_data_machine_and_commit_and_keeps_what_people_wrote(found: dict[str, Any]) -> None:
    page = f"# Performance\n\nWords.\n\n{document.BEGINS}\n\nof last time\n{document.ENDS}\n\n## More\n"

    once = document.replaced(page, document.section(found))
    twice = document.replaced(once, document.section(found))

    assert once == twice
    assert once.startswith("# Performance\n\nWords.\n")
    assert once.endswith("\n## More\n")
    assert "of last time" not in once
    assert "Commit `abc`. 2 cores (a processor)" in once
    assert "`edge`: `python -m benchmarks` at 2026-11-22T05:00:00+00:00, 12 s; 1,000 students." in once
    assert "| hits | at least 0.7 | 0.75 ratio | met |" in once
    assert "| time | at most 0.3 | 0.4 ms | MISSED |" in once


def test_the_page_has_the_marks_between_which_figures_are_written() -> None:
    page = document.PAGE.read_text()

    assert page.count(document.BEGINS) == page.count(document.ENDS) == 1
    assert page.index(document.BEGINS) < page.index(document.ENDS)
