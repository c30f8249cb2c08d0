"""Whoever reads what a file says of people leaves an entry for each of them: rows, the report and their pages."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from accounts.roles import Role
from audit.models import Disclosure
from interop.models import ExternalIdentifier, ImportJob, ImportRow
from interop.selectors import people_behind
from tests.attendance.factories import AttendanceRecordFactory
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.interop.importing import imported, table, validated
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(83)]


def shown() -> list[Any]:
    return list(Disclosure.objects.order_by("id").values_list("subject_id", flat=True))


def row(job: ImportJob, resource: str, **said: Any) -> ImportRow:
    position = ImportRow.objects.filter(job=job).count() + 1
    return ImportRow.objects.create(
        job=job, position=position, file="x.csv", row_no=position + 1, resource=resource, action="rejected", **said
    )


@pytest.fixture
def job() -> ImportJob:
    return ImportJob.objects.create(kind="students", file_name="x.csv", sha256="0" * 64)


@pytest.fixture
def students(tmp_path: Path) -> ImportJob:
    """An import of two students, in force."""
    DepartmentFactory(code="PHY")
    rows = [
        {"student_no": f"S-{number}", "last_name": "Byron", "birth_date": "1990-12-10", "department": "PHY"}
        for number in range(2)
    ]
    return imported("students", table(tmp_path / "students.csv", *rows))


def people() -> list[Any]:
    return sorted(Person.objects.filter(last_name="Byron").values_list("pk", flat=True))


def test_rows_leave_one_for_each_person_on_the_page(registrar_client: Any, students: ImportJob) -> None:
    answer = registrar_client.get(f"/api/v1/imports/{students.pk}/rows/")

    assert "1990-12-10" in answer.content.decode()
    assert shown() == people()
    entry = Disclosure.objects.latest("id")
    assert (entry.what, entry.route) == ("import row", "ImportRowViewSet.list")
    assert entry.basis == "interop.view_importjob as registrar"


def test_a_page_takes_five_queries_however_many_people_are_on_it(registrar_client: Any, students: ImportJob) -> None:
    url = f"/api/v1/imports/{students.pk}/rows/"
    taken = []
    for size in (1, 2):
        with CaptureQueriesContext(connection) as queries:
            registrar_client.get(f"{url}?page_size={size}")
        taken.append(len(queries))

    assert taken == [5, 5]


def test_the_report_leaves_one_for_each_person_in_it(registrar_client: Any, students: ImportJob) -> None:
    answer = registrar_client.get(f"/api/v1/imports/{students.pk}/report/")

    assert b"S-1" in b"".join(answer.streaming_content)
    assert shown() == people()
    assert Disclosure.objects.latest("id").route == "ImportJobViewSet.report"


def test_so_do_the_pages_of_the_administration(client: Any, user_with: Any, students: ImportJob) -> None:
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    first = students.rows.order_by("position")[0]

    client.get(f"/admin/interop/importrow/?job__id__exact={students.pk}")
    client.get(f"/admin/interop/importrow/{first.pk}/change/")
    client.get(f"/admin/interop/importjob/{students.pk}/report/")

    routes = list(Disclosure.objects.order_by("id").values_list("route", flat=True))
    assert routes == ["admin:interop.importrow"] * 3 + ["admin:interop.importjob.report"] * 2
    assert shown()[:2] == shown()[3:] == people()


def test_a_report_that_a_command_writes_leaves_them_too(tmp_path: Path) -> None:
    student = StudentFactory()
    file = table(tmp_path / "students.csv", {"student_no": student.student_no, "first_name": "Augusta"})

    call_command("import_data", "students", str(file), "--report", str(tmp_path / "report.csv"))

    assert shown() == [student.person_id]
    assert Disclosure.objects.get().basis == "operator"


def test_a_row_that_is_to_change_somebody_leads_to_them_before_it_is_applied(tmp_path: Path) -> None:
    student = StudentFactory()
    file = table(tmp_path / "students.csv", {"student_no": student.student_no, "first_name": "Augusta"})

    assert people_behind(validated("students", file).rows.all()) == [student.person_id]


class TestWhomARowIsAbout:
    def test_the_record_that_it_has_become_says(self, job: ImportJob) -> None:
        mark, member, enrollment = AttendanceRecordFactory(), FacultyFactory(), EnrollmentFactory()
        row(job, "attendance", object_id=mark.pk)
        row(job, "faculty", object_id=member.pk)
        row(job, "enrollments", object_id=enrollment.pk)

        expected = {mark.enrollment.student.person_id, member.person_id, enrollment.student.person_id}
        assert set(people_behind(job.rows.all())) == expected

    def test_of_one_that_was_refused_the_name_of_the_record_says(self, job: ImportJob) -> None:
        student, other, member = StudentFactory(student_no="A|1"), StudentFactory(), FacultyFactory()
        row(job, "students", natural_key="A\\|1")
        row(job, "faculty", natural_key=member.employee_no)
        row(job, "enrollments", values={"student": other.student_no})

        assert set(people_behind(job.rows.all())) == {student.person_id, other.person_id, member.person_id}

    def test_the_name_that_another_system_has_for_it_does_too(self, job: ImportJob) -> None:
        student = StudentFactory()
        ExternalIdentifier.objects.create(
            scheme="oneroster", value="u:7", entity_type="students.student", object_id=student.pk
        )
        row(job, "enrollments", values={"student": {"external": "oneroster:u:7"}})
        row(job, "enrollments", values={"student": {"external": "oneroster:u:8"}})

        assert people_behind(job.rows.all()) == [student.person_id]

    def test_somebody_who_is_not_on_record_yet_is_nobody(self, job: ImportJob) -> None:
        StudentFactory()
        row(job, "students", natural_key="S-NEW")
        row(job, "departments", natural_key="PHY")

        assert people_behind(job.rows.all()) == []
