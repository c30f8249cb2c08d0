"""What happens when two do something to one student at the same moment."""

from datetime import UTC, datetime

import pytest

from students import services
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.faculty.factories import FacultyFactory
from tests.racing import at_once
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def test_two_programs_at_once_leave_one_primary():
    student, programs = StudentFactory(), [ProgramFactory() for _ in range(8)]

    def enrolling(program):
        return lambda: services.enrol_in_program(by=None, student=Student.objects.get(), program=program).is_primary

    outcomes = at_once(*map(enrolling, programs))

    assert sorted(outcomes) == [False] * 7 + [True]
    assert student.program_enrollments.filter(is_primary=True).count() == 1


def test_of_two_equal_steps_one_is_taken():
    student = StudentFactory()

    outcomes = at_once(
        *[
            lambda: (
                services.change_status(Student.objects.get(pk=student.pk), status="suspended", by=None, at=NOON).status
            )
            for _ in range(4)
        ]
    )

    assert sorted(outcomes) == ["illegal_transition"] * 3 + ["suspended"]
    assert StudentStatusEvent.objects.count() == 1


def test_a_student_and_a_program_changed_at_once_wait_for_one_another(registrar, client_for):
    enrollment = ProgramEnrollmentFactory(is_primary=True)
    clients = [client_for(registrar) for _ in range(10)]
    student_url = f"/api/v1/students/{enrollment.student_id}/"
    program_url = f"/api/v1/program-enrollments/{enrollment.pk}/"

    def changing(index):
        url = student_url if index % 2 else program_url
        return lambda: clients[index].patch(url, {"cohort": f"C{index}"}, format="json").status_code

    outcomes = at_once(*[changing(index) for index in range(10)])

    assert outcomes == [200] * 10
    assert Student.objects.get().version == 11
    assert ProgramEnrollment.objects.get().cohort.startswith("C")


def test_no_number_is_issued_twice():
    department = DepartmentFactory()

    numbers = at_once(
        *[lambda: services.create_student(by=None, last_name="L", department=department).student_no for _ in range(8)]
    )

    assert len(set(numbers)) == 8


@pytest.mark.parametrize("turn", range(2))
def test_many_programs_and_their_students_are_changed_side_by_side(registrar, client_for, turn):
    rows = ProgramEnrollmentFactory.create_batch(8, is_primary=True)
    clients = [client_for(registrar) for _ in range(4)]
    programs = [{"id": str(row.pk), "cohort": f"P{turn}"} for row in rows]
    students = [{"id": str(row.student_id), "cohort": f"S{turn}"} for row in reversed(rows)]

    def updating(client, name, items):
        body = {"items": items, "mode": "best_effort"}
        return lambda: client.post(f"/api/v1/{name}/bulk-update/", body, format="json").status_code

    outcomes = at_once(
        updating(clients[0], "program-enrollments", programs),
        updating(clients[1], "students", students),
        updating(clients[2], "program-enrollments", programs[::-1]),
        lambda: clients[3].patch(f"/api/v1/students/{rows[3].student_id}/", {"cohort": "X"}, format="json").status_code,
    )

    assert outcomes == [200] * 4


@pytest.mark.parametrize("turn", range(2))
def test_students_who_teach_are_changed_in_both_parts_side_by_side(registrar, client_for, turn):
    students = StudentFactory.create_batch(6)
    teachers = [FacultyFactory(person=student.person) for student in reversed(students)]
    clients = [client_for(registrar) for _ in range(2)]

    def updating(client, name, rows):
        items = [{"id": str(row.pk), "phone": f"{name} {turn}"} for row in rows]
        body = {"items": items}
        return lambda: client.post(f"/api/v1/{name}/bulk-update/", body, format="json").status_code

    outcomes = at_once(updating(clients[0], "students", students), updating(clients[1], "faculty", teachers))

    assert set(outcomes) <= {200, 409}
    assert 200 in outcomes
