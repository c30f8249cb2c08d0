"""The page about the security checklist says what the markers on the tests say."""

import yaml

from tests.authorization import checklist


def test_the_checklist_has_all_its_lines():
    sections = yaml.safe_load(checklist.LINES.read_text())

    assert [number for lines in sections.values() for number in lines] == list(range(1, 96))


def test_the_page_says_what_the_markers_say():
    assert checklist.PAGE.read_text() == checklist.page(), "Markers changed: `make security-checklist` records it."


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
