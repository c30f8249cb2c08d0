"""Every named constraint of the app refuses what it names, whoever writes."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from core.db.constraints import error_for
from students.models import (
    GuardianLink,
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    Student,
    StudentStatusEvent,
)
from tests.departments.factories import ProgramFactory
from tests.students.factories import GuardianLinkFactory, ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
STEP = {"from_status": "active", "to_status": "suspended", "happened_at": datetime(2026, 9, 1, tzinfo=UTC)}


def twice_in_one_program():
    first = ProgramEnrollmentFactory(status="completed")
    ProgramEnrollmentFactory(student=first.student, program=first.program)


def two_primary_programs():
    first = ProgramEnrollmentFactory(is_primary=True, status="graduated")
    ProgramEnrollmentFactory(student=first.student, is_primary=True)


def a_guardian_twice():
    first = GuardianLinkFactory()
    GuardianLinkFactory(student=first.student, person=first.person)


def another_number():
    StudentFactory()
    Student.objects.update(student_no="S9")


def a_step_rewritten():
    StudentStatusEvent.objects.create(student=StudentFactory(), **STEP)
    StudentStatusEvent.objects.update(reason="Otherwise")


def a_program_step_removed():
    ProgramEnrollmentEvent.objects.create(program_enrollment=ProgramEnrollmentFactory(), **STEP)
    ProgramEnrollmentEvent.objects.all().delete()


# By the constraint's name: what violates it, and the code that answers.
VIOLATIONS = {
    "students_student_unique_student_no": (
        lambda: StudentFactory(student_no=StudentFactory().student_no),
        "student_no_taken",
    ),
    "students_student_person_id_key": (lambda: StudentFactory(person=StudentFactory().person), "already_a_student"),
    "students_student_has_student_no": (lambda: StudentFactory(student_no=""), "blank"),
    "students_student_status_known": (lambda: StudentFactory(status="lost"), "invalid_choice"),
    "students_student_contact_known": (lambda: StudentFactory(preferred_contact="owl"), "invalid_choice"),
    "students_student_student_no_immutable": (another_number, "student_no_immutable"),
    "students_studentstatusevent_append_only": (a_step_rewritten, "immutable"),
    "students_guardianlink_no_overlap": (a_guardian_twice, "already_a_guardian"),
    "students_guardianlink_relation_known": (lambda: GuardianLinkFactory(relation="fan"), "invalid_choice"),
    "students_guardianlink_scopes_known": (lambda: GuardianLinkFactory(scopes=["secrets"]), "invalid_choice"),
    "students_programenrollment_one_live": (twice_in_one_program, "already_in_program"),
    "students_programenrollment_one_primary": (two_primary_programs, "primary_program_taken"),
    "students_programenrollment_status_known": (lambda: ProgramEnrollmentFactory(status="lost"), "invalid_choice"),
    "students_programenrollmentevent_append_only": (a_program_step_removed, "immutable"),
}


def test_every_constraint_of_the_app_is_tried():
    models = (Student, GuardianLink, ProgramEnrollment, StudentStatusEvent, ProgramEnrollmentEvent)

    assert {constraint.name for model in models for constraint in model._meta.constraints} <= VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name_and_answered_by_code(name):
    violate, code = VIOLATIONS[name]

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        violate()

    assert refused.value.__cause__.diag.constraint_name == name
    assert error_for(refused.value).error_code == code


@pytest.mark.parametrize("status", ["withdrawn", "dismissed", "graduated"])
def test_whoever_left_a_program_may_enrol_in_it_again(status):
    left = ProgramEnrollmentFactory(status=status, is_primary=True)

    again = ProgramEnrollmentFactory(student=left.student, program=left.program)

    assert again.status == "active"


def test_two_programs_at_a_time_are_no_violation():
    first = ProgramEnrollmentFactory(is_primary=True)

    ProgramEnrollmentFactory(student=first.student, program=ProgramFactory())

    assert ProgramEnrollment.objects.live().count() == 2
