"""The page about the security checklist says what the markers on the tests say, and no more than they show."""

import re

import pytest
import yaml

from benchmarks import log_ins
from benchmarks.__main__ import SCENARIOS
from tests.authorization import checklist
from tests.authorization.checklist import OPEN, PARTLY, SHOWN, ChecklistError

TEST = "tests/test_things.py::test_one"
PERFORMANCE = checklist.ROOT / "docs" / "performance.md"


def line(demand, *tests):
    """Return the line 1 of a checklist that has no other."""
    ((only,),) = checklist.lines({"Things": {1: demand}}, {1: tests}).values()
    return only


def every_line():
    sections = yaml.safe_load(checklist.LINES.read_text())
    return [each for section in checklist.lines(sections, checklist.shown()).values() for each in section]


def test_the_checklist_has_all_its_lines():
    assert [each.number for each in every_line()] == list(range(1, 96))


def test_the_page_says_what_the_markers_say():
    assert checklist.PAGE.read_text() == checklist.page(), "Markers changed: `make security-checklist` records it."


def test_a_line_without_a_test_is_open():
    assert line("All is well.").state == line({"shown": "Some is.", "open": "Some is not."}).state == OPEN


def test_a_line_with_a_test_is_shown():
    found = line("All is well.", TEST)

    assert (found.state, found.row) == (SHOWN, f"| 1 | All is well. | shown | `{TEST}` |")


def test_no_number_of_tests_shows_a_line_that_names_something_open():
    found = line({"shown": "Some is well.", "open": "Some is not."}, TEST, f"{TEST}_more")

    assert found.state == PARTLY
    assert found.row.startswith("| 1 | Some is well. **Open:** Some is not. | partly |")


def test_no_test_is_named_by_a_line_all_of_which_is_open():
    with pytest.raises(ChecklistError):
        line({"open": "Nothing is well."}, TEST)


@pytest.mark.parametrize("demand", ["", {}, {"measured": "lists"}, {"shown": "All is well.", "opne": "Some is not."}])
def test_a_line_says_what_is_demanded_in_words_that_are_read(demand):
    with pytest.raises(ChecklistError):
        line(demand)


def test_what_is_measured_stands_beside_the_tests_and_is_a_scenario():
    found = line({"shown": "It is fast.", "measured": "lists"}, TEST)
    measured = {each.measured for each in every_line() if each.measured}

    assert found.row.endswith(f'| `{TEST}`, `make bench ARGS="--only lists"` |')
    assert measured <= set(SCENARIOS)


def test_what_is_measured_was_measured_as_it_is_demanded_and_can_be_looked_up():
    figures = PERFORMANCE.read_text()
    times = {name: [1.0, 1.0] for name in ("unknown", "known")}
    promised = [target.name for target in log_ins.judged(times, times)]

    assert {each.measured for each in every_line() if each.measured} == {"log_ins"}
    assert "`log_ins`: `python -m benchmarks" in figures
    for name in promised:
        assert re.search(rf"^\| {re.escape(name)} \| at most 1\.1 \| [\d.]+ ratio \| met \|$", figures, re.MULTILINE), (
            name
        )


def test_a_figure_alone_shows_nothing():
    assert line({"shown": "It is fast.", "measured": "lists"}).state == OPEN


def test_on_the_page_no_line_says_both_that_it_is_shown_and_that_something_is_open():
    rows = [row.split(" | ") for row in checklist.page().splitlines() if row.startswith("| ") and row[2].isdigit()]

    assert len(rows) == 95
    assert not [row[0] for row in rows if ("**Open:**" in row[1]) and row[2] == SHOWN]
    assert {row[2] for row in rows} == {SHOWN, PARTLY, OPEN}


def test_a_marker_on_a_test_a_class_and_a_module_counts(tmp_path):
    source = """import pytest
pytestmark = [pytest.mark.django_db, pytest.mark.checklist(1)]
@pytest.mark.checklist(2)
class TestThings:
    pytestmark = pytest.mark.checklist(5)
    @pytest.mark.checklist(3, 4)
    def test_one(self): ...
"""
    path = tmp_path / "test_things.py"
    path.write_text(source)

    found = list(checklist.marked(path))

    assert found[:3] == [(1, "all"), (2, "TestThings"), (5, "TestThings")]
    assert found[3:] == [(3, "TestThings::test_one"), (4, "TestThings::test_one")]
