"""What happens when two do something to one student at the same moment."""

from datetime import UTC, datetime

import pytest

from students import services
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from tests.departments.factories import DepartmentFactory, ProgramFactory
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
