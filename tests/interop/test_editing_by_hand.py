"""What somebody has edited by hand is theirs: an import leaves it alone unless it is asked to overwrite."""

from pathlib import Path
from typing import Any

import pytest

from accounts.services import update_person
from courses.models import Section
from departments.models import Department
from departments.services import update_department
from interop.models import ImportRow
from students.models import Student
from students.services import update_student
from tests.departments.factories import DepartmentFactory
from tests.interop.importing import imported, reasons, table, totals
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db

ADA = {"student_no": "S1", "first_name": "Ada", "last_name": "Lovelace", "department": "SCI"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "students.csv"


@pytest.fixture(autouse=True)
def science() -> Department:
    return DepartmentFactory(code="SCI")


def ada() -> Student:
    return Student.objects.select_related("person").get(student_no="S1")


def edit(**changes: Any) -> None:
    update_student(ada(), by=None, **changes)


def test_an_edited_field_is_reported_and_stays(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(first_name="Augusta")

    job = imported("students", place)

    assert ada().person.first_name == "Augusta"
    assert totals(job) == (0, 0, 0, 1)
    row = ImportRow.objects.get(job=job)
    assert row.action == "conflict"
    assert reasons(job) == [(2, "edited_by_hand", "first_name")]


def test_the_other_fields_of_the_row_are_written(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(first_name="Augusta")

    job = imported("students", table(place, {**ADA, "first_name": "Ada A.", "last_name": "King"}))

    assert (ada().person.first_name, ada().person.last_name) == ("Augusta", "King")
    assert totals(job) == (0, 1, 0, 0)
    assert reasons(job) == [(2, "edited_by_hand", "first_name")]


def test_it_stays_edited_after_the_next_import_has_passed_it_by(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(first_name="Augusta")
    imported("students", table(place, {**ADA, "last_name": "King"}))

    imported("students", table(place, {**ADA, "last_name": "King-Noel"}))

    assert (ada().person.first_name, ada().person.last_name) == ("Augusta", "King-Noel")


def test_it_is_overwritten_when_asked(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(first_name="Augusta")

    job = imported("students", place, options={"overwrite_edited": True})

    assert ada().person.first_name == "Ada"
    assert totals(job) == (0, 1, 0, 0)
    assert reasons(job) == []
    assert totals(imported("students", table(place, {**ADA, "first_name": "Ada A."}))) == (0, 1, 0, 0)


def test_an_edit_back_to_what_the_file_says_is_no_conflict(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(first_name="Augusta")
    edit(first_name="Ada")

    assert totals(imported("students", table(place, {**ADA, "first_name": "Ada A."}))) == (0, 1, 0, 0)


def test_a_field_that_no_import_has_filled_is_protected_once_somebody_fills_it(place: Path) -> None:
    imported("students", table(place, ADA))
    edit(email="ada@example.org")

    job = imported("students", table(place, {**ADA, "email": "other@example.org"}))

    assert ada().person.email == "ada@example.org"
    assert reasons(job) == [(2, "edited_by_hand", "email")]


def test_a_row_that_no_import_has_written_is_updated(place: Path) -> None:
    StudentFactory(student_no="S1", person__first_name="Augusta")

    assert totals(imported("students", table(place, ADA))) == (0, 1, 0, 0)


def test_a_row_that_an_import_found_right_is_remembered(place: Path) -> None:
    StudentFactory(student_no="S1", person__first_name="Ada")
    assert totals(imported("students", table(place, {"student_no": "S1", "first_name": "Ada"}))) == (0, 0, 1, 0)
    edit(first_name="Augusta")

    job = imported("students", table(place, {"student_no": "S1", "first_name": "Ada A."}))

    assert reasons(job) == [(2, "edited_by_hand", "first_name")]


def test_custom_values_are_protected_one_by_one(place: Path, registrar: Any) -> None:
    from core.customfields.services import create_custom_field

    for name in ("town", "hobby"):
        create_custom_field(
            by=registrar, entity_type="students.student", name=name, label=name.title(), field_type="text"
        )
    row = {**ADA, "custom.town": "London", "custom.hobby": "engines"}
    imported("students", table(place, row))
    edit(custom_fields={"town": "Ealing"})

    job = imported("students", table(place, {**row, "custom.town": "Paris", "custom.hobby": "music"}))

    assert ada().custom_data == {"town": "Ealing", "hobby": "music"}
    assert reasons(job) == [(2, "edited_by_hand", "custom_fields.town")]


def test_a_reference_is_protected_like_any_other_field(tmp_path: Path) -> None:
    place = tmp_path / "departments.csv"
    arts = DepartmentFactory(code="ART")
    row = {"code": "PHY", "name": "Physics", "parent": "SCI"}
    imported("departments", table(place, row))
    update_department(Department.objects.get(code="PHY"), by=None, parent=arts)

    job = imported("departments", table(place, {**row, "name": "Physics and more"}))

    physics = Department.objects.get(code="PHY")
    assert (physics.parent, physics.name) == (arts, "Physics and more")
    assert reasons(job) == [(2, "edited_by_hand", "parent")]


def test_a_person_edited_elsewhere_is_protected_too(place: Path) -> None:
    imported("students", table(place, ADA))
    update_person(ada().person, by=None, first_name="Augusta")

    imported("students", table(place, {**ADA, "first_name": "Ada A."}))

    assert ada().person.first_name == "Augusta"


def test_seats_that_somebody_has_added_are_theirs(tmp_path: Path) -> None:
    from courses.services import update_section
    from tests.courses.factories import CourseFactory
    from tests.departments.factories import TermFactory

    CourseFactory(code="CS1")
    TermFactory(code="2026F")
    place = tmp_path / "sections.csv"
    row = {"course_code": "CS1", "section_code": "01", "term": "2026F", "capacity": "30"}
    imported("sections", table(place, row))
    update_section(Section.objects.get(), by=None, capacity=40)

    job = imported("sections", table(place, {**row, "capacity": "35"}))

    assert Section.objects.get().capacity == 40
    assert reasons(job) == [(2, "edited_by_hand", "capacity")]
