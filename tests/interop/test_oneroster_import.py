"""What OneRoster packages do to the records: bulk, delta, and rows that are to go."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from courses.models import Course, Section
from departments.models import Department, Term
from enrollment.models import Enrollment
from faculty.models import Faculty
from interop.models import ExternalIdentifier, ImportJob, ImportState
from interop.sources.oneroster.spec import READ
from students.models import Student
from tests.interop.data import dump
from tests.interop.importing import imported, reasons, totals, validated
from tests.interop.packages import CLASS, enrollment, package, role, school, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "package.zip"


@pytest.fixture
def brought(place: Path) -> ImportJob:
    """A school that an earlier bulk package has brought."""
    return imported("oneroster", package(place, school()))


def delta(place: Path, **rows: list[dict[str, str]]) -> ImportJob:
    return imported("oneroster", package(place, rows, mode="delta"))


def deleted(row: dict[str, str]) -> dict[str, str]:
    return {**row, "status": "tobedeleted"}


def remarks(job: ImportJob) -> dict[tuple[str, str], int]:
    return {(remark["code"], remark["file"]): remark["rows"] for remark in job.remarks}


def teachers() -> list[tuple[str, str, int]]:
    rows = Section.objects.get().section_instructors.order_by("-share", "faculty__employee_no")
    return [(row.faculty.employee_no, row.role, int(row.share)) for row in rows]


def test_an_invalid_package_writes_nothing_and_says_why(place: Path) -> None:
    rows = school()
    rows["users"][1]["enabledUser"] = "perhaps"
    before = dump()

    job = validated("oneroster", package(place, rows))

    assert job.state == ImportState.FAILED
    assert [(error["code"], error["meta"]) for error in job.errors] == [
        ("oneroster_invalid", {"file": "users.csv", "row": 3, "field": "enabledUser"})
    ]
    assert not job.rows.exists()
    assert dump() == before


@pytest.mark.usefixtures("brought")
def test_students_are_enrolled_and_teachers_teach() -> None:
    row = Enrollment.objects.select_related("student__person").get()
    assert (row.student.student_no, row.student.person.last_name, row.status) == ("student", "Student", "enrolled")
    assert teachers() == [("teacher", "primary", 100)]
    assert Term.objects.get().academic_year.code == "year-1"


@pytest.mark.usefixtures("brought")
def test_what_changed_is_found_by_its_id_whatever_else_changed(place: Path) -> None:
    student = {**user("student"), "givenName": "Augusta", "identifier": "another number"}

    job = delta(
        place, users=[student], courses=[{"sourcedId": "course-1", "title": "Algebra II", "orgSourcedId": "org-1"}]
    )

    assert totals(job) == (0, 2, 0, 0)
    assert Student.objects.get().person.first_name == "Augusta"
    assert Student.objects.get().student_no == "student"
    assert Course.objects.select_related("current_version").get().current_version.title == "Algebra II"


@pytest.mark.usefixtures("brought")
def test_a_delta_may_refer_to_what_an_earlier_package_brought(place: Path) -> None:
    second = {**CLASS, "sourcedId": "class-2", "classCode": "A2"}

    job = delta(
        place, classes=[second], enrollments=[{**enrollment("student", "student"), "classSourcedId": "class-2"}]
    )

    assert job.state == ImportState.APPLIED
    assert Section.objects.get(code="A2").course.code == "ALG1"


@pytest.mark.usefixtures("brought")
def test_a_delta_that_refers_to_nothing_is_refused(place: Path) -> None:
    rows = {"classes": [{**CLASS, "courseSourcedId": "course-2"}]}

    job = validated("oneroster", package(place, rows, mode="delta"))

    assert [error["meta"]["field"] for error in job.errors] == ["courseSourcedId"]


@pytest.mark.usefixtures("brought")
def test_what_is_to_go_is_retired_and_nothing_is_deleted(place: Path) -> None:
    rows = school()

    job = delta(
        place,
        courses=[deleted(rows["courses"][0])],
        classes=[deleted(rows["classes"][0])],
        users=[deleted(rows["users"][0]), deleted(rows["users"][1])],
        academicSessions=[deleted(rows["academicSessions"][1])],
    )

    assert totals(job) == (0, 4, 1, 0)
    assert not Course.objects.get().is_active
    assert Section.objects.get().status == "cancelled"
    assert Student.objects.get().status == "withdrawn"
    assert Faculty.objects.get().status == "departed"
    assert Term.objects.exists()


def test_a_class_that_has_taken_place_cannot_be_cancelled(place: Path) -> None:
    rows = school()
    rows["academicSessions"][0] |= {"startDate": "2020-08-01"}
    rows["academicSessions"][1] |= {"startDate": "2020-08-01", "endDate": "2020-12-20"}
    imported("oneroster", package(place, rows))

    job = delta(place, classes=[deleted(rows["classes"][0])])

    assert Section.objects.get().status == "completed"
    assert reasons(job) == [(2, "illegal_transition", "status")]


@pytest.mark.usefixtures("brought")
def test_a_term_stays_in_the_year_that_an_earlier_package_brought(place: Path) -> None:
    term = {**school()["academicSessions"][1], "title": "Autumn"}

    assert totals(delta(place, academicSessions=[term])) == (0, 1, 0, 0)

    assert (Term.objects.get().name, Term.objects.get().academic_year.code) == ("Autumn", "year-1")


@pytest.mark.usefixtures("brought")
def test_an_enrolment_that_is_to_go_is_dropped_on_that_day(place: Path) -> None:
    delta(place, enrollments=[deleted(enrollment("student", "student"))])

    row = Enrollment.objects.get()
    assert (row.status, row.dropped_at) == ("dropped", datetime(2025, 1, 2, 3, 4, 5, 6000, tzinfo=UTC))
    assert Section.objects.get().enrolled_count == 0


def test_what_is_to_go_and_never_came_is_passed_over(place: Path, brought: ImportJob) -> None:
    before = dump()

    job = delta(place, orgs=[deleted({"sourcedId": "org-9", "name": "South", "type": "school"})])

    assert totals(job) == (0, 0, 1, 0)
    assert dump() == before


@pytest.mark.usefixtures("brought")
def test_what_a_bulk_file_lacks_is_reported_and_stays(place: Path) -> None:
    rows = school()
    del rows["users"][1], rows["roles"][1], rows["enrollments"][1]

    job = imported("oneroster", package(place, rows))

    assert remarks(job)["absent_in_bulk", "users.csv"] == 1
    assert remarks(job)["absent_in_bulk", "enrollments.csv"] == 1
    assert Student.objects.get().status == "active"
    assert Enrollment.objects.get().status == "enrolled"


@pytest.mark.usefixtures("brought")
def test_a_delta_adds_a_teacher_beside_those_who_are_there(place: Path) -> None:
    delta(
        place,
        users=[user("assistant")],
        roles=[role("assistant", "teacher")],
        enrollments=[enrollment("assistant", "teacher")],
    )

    assert teachers() == [("assistant", "co", 50), ("teacher", "primary", 50)]


@pytest.mark.usefixtures("brought")
def test_a_delta_takes_a_teacher_away(place: Path) -> None:
    delta(
        place,
        users=[user("assistant")],
        roles=[role("assistant", "teacher")],
        enrollments=[enrollment("assistant", "teacher", primary="true"), deleted(enrollment("teacher", "teacher"))],
    )

    assert teachers() == [("assistant", "primary", 100)]


def test_whoever_teaches_and_studies_is_one_person(place: Path) -> None:
    rows = school()
    rows["roles"].append(role("teacher", "student"))

    imported("oneroster", package(place, rows))

    assert Faculty.objects.get().person == Student.objects.get(student_no="teacher").person
    assert ExternalIdentifier.objects.filter(value="teacher").count() == 2


def test_whoever_does_neither_is_counted(place: Path) -> None:
    rows = school()
    rows["users"].append(user("parent", agentSourcedIds="student"))
    rows["roles"].append(role("parent", "guardian"))
    rows["enrollments"].append(enrollment("parent", "proctor"))

    job = imported("oneroster", package(place, rows))

    assert remarks(job)["not_stored", "users.csv"] == 1
    assert remarks(job)["not_stored", "enrollments.csv"] == 1
    assert job.state == ImportState.APPLIED


@pytest.mark.usefixtures("brought")
def test_demographics_may_come_alone(place: Path) -> None:
    delta(place, demographics=[{"sourcedId": "student", "birthDate": "2010-04-05", "sex": "unspecified"}])

    person = Student.objects.get().person
    assert (str(person.birth_date), person.gender) == ("2010-04-05", "undisclosed")


def test_ids_longer_than_our_codes_stay_apart(place: Path) -> None:
    long = "x" * 250
    rows: dict[str, list[dict[str, str]]] = {
        "orgs": [{"sourcedId": f"{long}{n}", "name": f"School {n}", "type": "school"} for n in range(3)]
    }

    imported("oneroster", package(place, rows))
    again = imported("oneroster", package(place, rows))

    assert Department.objects.count() == 3
    assert totals(again) == (0, 0, 3, 0)
    assert {note["code"] for row in again.rows.all() for note in row.notes} == {"shortened_code"}


def test_a_text_that_is_too_long_refuses_its_row_and_is_not_cut(place: Path) -> None:
    rows: dict[str, Any] = school()
    rows["academicSessions"][0]["title"] = "y" * 101
    rows["courses"].append({**rows["courses"][0], "sourcedId": "course-2", "courseCode": "", "title": "z" * 256})

    job = validated("oneroster", package(place, rows))

    assert {("max_length", "name"), ("max_length", "title")} <= {(code, field) for _, code, field in reasons(job)}


def test_space_around_a_text_is_padding_and_elsewhere_a_fault(place: Path) -> None:
    rows: dict[str, Any] = school()
    rows["courses"][0]["title"] = " Algebra "

    imported("oneroster", package(place, rows))
    rows["users"][1] |= {"givenName": "  ", "primaryOrgSourcedId": " org-1"}
    job = validated("oneroster", package(place, rows))

    assert Course.objects.get().current_version.title == "Algebra"
    assert [error["meta"]["field"] for error in job.errors] == ["givenName", "primaryOrgSourcedId"]


def test_a_class_of_a_school_year_takes_place_in_a_term_of_that_length(place: Path) -> None:
    rows = school()
    rows["classes"][0]["termSourcedIds"] = "year-1"

    imported("oneroster", package(place, rows))

    assert Section.objects.get().term.name == "2124/25"


def test_terms_without_a_school_year_are_given_one_by_their_number(place: Path) -> None:
    rows = school()
    del rows["academicSessions"][0]
    rows["academicSessions"][0]["parentSourcedId"] = ""

    imported("oneroster", package(place, rows))

    year = Term.objects.get().academic_year
    assert (year.code, str(year.starts_on), str(year.ends_on)) == ("2125", "2124-07-01", "2125-06-30")


def test_courses_and_classes_of_one_code_stay_apart(place: Path) -> None:
    rows: dict[str, Any] = school()
    rows["courses"].append({**rows["courses"][0], "sourcedId": "course-2", "title": "Another algebra"})
    rows["classes"].append({**rows["classes"][0], "sourcedId": "class-2"})

    job = imported("oneroster", package(place, rows))

    assert totals(job)[3] == 0
    assert sorted(Course.objects.values_list("code", flat=True)) == ["course-1", "course-2"]
    assert sorted(Section.objects.values_list("code", flat=True)) == ["class-1", "class-2"]


def test_cells_that_nothing_reads_are_not_kept_and_their_columns_are_named(place: Path) -> None:
    rows = school()
    rows["users"][1] |= {"password": "correct horse", "userMasterIdentifier": "QX 7391 8264", "phone": "1234"}
    rows["demographics"] = [{"sourcedId": "student", "sex": "female", "cityOfBirth": "Vienna", "asian": "true"}]

    job = imported("oneroster", package(place, rows))

    said = {(each["code"], each["file"]): each["detail"] for each in job.remarks}
    unread = "enabledUser, username, password, userMasterIdentifier"
    assert said["ignored_columns", "users.csv"] == f"Columns that are not imported: {unread}."
    assert said["ignored_columns", "demographics.csv"] == "Columns that are not imported: asian, cityOfBirth."
    kept = job.rows.get(resource="students").raw
    assert kept["phone"] == "1234"
    assert kept.keys() == READ["users"]


def test_terms_without_a_school_year_stretch_the_one_they_are_given(place: Path) -> None:
    rows = school()
    del rows["academicSessions"][0]
    rows["academicSessions"][0] |= {"parentSourcedId": "", "startDate": "2124-06-15", "endDate": "2125-07-15"}

    job = imported("oneroster", package(place, rows))

    year = Term.objects.get().academic_year
    assert (str(year.starts_on), str(year.ends_on)) == ("2124-06-15", "2125-07-15")
    assert totals(job)[3] == 0
