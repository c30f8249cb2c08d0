"""Whoever imports decides nothing about themselves: their own row is refused, and the others are written."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Person, User
from enrollment.models import Enrollment
from faculty.models import Faculty
from interop import services
from interop.models import ImportJob, ImportState
from interop.services.reversal import OwnImportError
from students.models import Student
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.interop.importing import reasons, table, totals
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(13)]
OWN = (2, "self_approval")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def refused_of(job: ImportJob) -> list[tuple[int, str]]:
    return [(row, code) for row, code, _ in reasons(job)]


def foreseen_and_done(kind: str, path: Path, by: User) -> ImportJob:
    """Import as somebody; the preview has to say what comes of it."""
    preview = services.validate(services.from_path(by=by, kind=kind, path=path).pk, by=by)
    assert refused_of(preview) == [OWN]
    done = services.apply(preview.pk, by=by)
    assert done.state == ImportState.PARTIALLY_APPLIED
    return done


def test_nobody_reports_their_own_result(place: Path, registrar: User) -> None:
    own, other = (EnrollmentFactory(student__student_no=number, section__code="01") for number in ("S1", "S2"))
    Student.objects.filter(pk=own.student_id).update(person=registrar.person)
    rows = [
        {
            "student_no": row.student.student_no, "course_code": row.section.course.code, "section_code": "01",
            "term": row.section.term.code, "status": "completed", "result": "distinction",
        }
        for row in (own, other)
    ]  # fmt: skip

    job = foreseen_and_done("enrollments", table(place, *rows), registrar)

    assert (totals(job), refused_of(job)) == ((0, 1, 0, 1), [OWN])
    assert dict(Enrollment.objects.values_list("student__student_no", "result")) == {"S1": "", "S2": "distinction"}


def test_nobody_enrols_themselves_by_an_import(place: Path, registrar: User) -> None:
    section = EnrollmentFactory(section__code="01").section
    own, other = StudentFactory(student_no="S1", person=registrar.person), StudentFactory(student_no="S2")
    at = {"course_code": section.course.code, "section_code": "01", "term": section.term.code}

    job = foreseen_and_done(
        "enrollments", table(place, *({"student_no": one.student_no, **at} for one in (own, other))), registrar
    )

    assert totals(job) == (1, 0, 0, 1)
    assert not Enrollment.objects.filter(student=own).exists()


def test_nobody_settles_their_own_standing(place: Path, registrar: User) -> None:
    StudentFactory(student_no="S1", person=registrar.person)
    StudentFactory(student_no="S2")
    rows: list[dict[str, Any]] = [{"student_no": number, "admitted_on": "2020-10-01"} for number in ("S1", "S2")]

    job = foreseen_and_done("students", table(place, *rows), registrar)

    assert totals(job) == (0, 1, 0, 1)
    assert [str(row.admitted_on) for row in Student.objects.order_by("student_no")][1] == "2020-10-01"


def test_everybody_keeps_their_own_name_current(place: Path, registrar: User) -> None:
    StudentFactory(student_no="S1", person=registrar.person)
    path = table(place, {"student_no": "S1", "preferred_name": "Lise"})

    preview = services.validate(services.from_path(by=registrar, kind="students", path=path).pk, by=registrar)

    assert totals(services.apply(preview.pk, by=registrar)) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    "terms",
    [{"fte": "0.5"}, {"employment_type": "part_time"}, {"rank": "professor"}],
    ids=lambda each: next(iter(each)),
)
def test_nobody_changes_their_own_post(place: Path, registrar: User, terms: dict[str, str]) -> None:
    FacultyFactory(employee_no="E1", person=registrar.person, rank="lecturer")
    FacultyFactory(employee_no="E2", rank="lecturer")
    rows = [{"employee_no": number, **terms} for number in ("E1", "E2")]

    job = foreseen_and_done("faculty", table(place, *rows), registrar)

    ((name, value),) = terms.items()
    kept, changed = Faculty.objects.order_by("employee_no").values_list(name, flat=True)
    assert totals(job) == (0, 1, 0, 1)
    assert str(changed).startswith(value)
    assert not str(kept).startswith(value)


def test_nobody_takes_back_what_an_import_wrote_about_them(place: Path, registrar: User) -> None:
    """A colleague reports the results of two; one of them is a registrar, too, in a record that was merged."""
    own, other = (EnrollmentFactory(student__student_no=number, section__code="01") for number in ("S1", "S2"))
    Person.objects.filter(pk=own.student.person_id).update(merged_into=registrar.person)
    rows = [
        {
            "student_no": row.student.student_no, "course_code": row.section.course.code, "section_code": "01",
            "term": row.section.term.code, "status": "completed", "result": "fail",
        }
        for row in (own, other)
    ]  # fmt: skip
    job = services.from_path(by=None, kind="enrollments", path=table(place, *rows))
    job = services.apply(services.validate(job.pk, by=None).pk, by=None)
    assert job.state == ImportState.APPLIED

    with pytest.raises(OwnImportError):
        services.revert(job.pk, by=registrar)

    job.refresh_from_db()
    assert (job.state, [error["code"] for error in job.errors]) == (ImportState.APPLIED, ["self_approval"])
    assert dict(Enrollment.objects.values_list("student__student_no", "result")) == {"S1": "fail", "S2": "fail"}
    assert services.revert(job.pk, by=None).state == ImportState.REVERTED
    assert dict(Enrollment.objects.values_list("student__student_no", "result")) == {"S1": "", "S2": ""}
