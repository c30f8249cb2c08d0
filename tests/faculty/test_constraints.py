"""Every named constraint of the app refuses what it names, whoever writes."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core.db.constraints import error_for
from faculty.models import Faculty, FacultyAppointment, FacultyStatusEvent
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory

pytestmark = pytest.mark.django_db


def another_number():
    FacultyFactory()
    Faculty.objects.update(employee_no="E9")


def two_posts_at_a_time():
    first = FacultyAppointmentFactory()
    FacultyAppointmentFactory(faculty=first.faculty, valid=DateRange(date(2026, 1, 1), None, "[)"))


def a_step_rewritten():
    FacultyStatusEvent.objects.create(
        faculty=FacultyFactory(),
        from_status="active",
        to_status="retired",
        happened_at=datetime(2026, 9, 1, tzinfo=UTC),
    )
    FacultyStatusEvent.objects.update(reason="Otherwise")


# By the constraint's name: what violates it, and the code that answers.
VIOLATIONS = {
    "faculty_faculty_unique_employee_no": (
        lambda: FacultyFactory(employee_no=FacultyFactory().employee_no),
        "employee_no_taken",
    ),
    "faculty_faculty_person_id_key": (lambda: FacultyFactory(person=FacultyFactory().person), "already_faculty"),
    "faculty_faculty_has_employee_no": (lambda: FacultyFactory(employee_no=""), "blank"),
    "faculty_faculty_fte_in_range": (lambda: FacultyFactory(fte=Decimal("1.501")), "fte_out_of_range"),
    "faculty_faculty_salary_not_negative": (lambda: FacultyFactory(salary=Decimal("-0.01")), "salary_negative"),
    "faculty_faculty_rank_known": (lambda: FacultyFactory(rank="king"), "invalid_choice"),
    "faculty_faculty_employment_type_known": (lambda: FacultyFactory(employment_type="serf"), "invalid_choice"),
    "faculty_faculty_status_known": (lambda: FacultyFactory(status="lost"), "invalid_choice"),
    "faculty_faculty_employee_no_immutable": (another_number, "employee_no_immutable"),
    "faculty_facultyappointment_no_overlap": (two_posts_at_a_time, "overlapping_appointment"),
    "faculty_facultyappointment_has_length": (
        lambda: FacultyAppointmentFactory(valid=DateRange(date(2026, 1, 1), date(2026, 1, 1), "[)")),
        "ends_before_start",
    ),
    "faculty_facultyappointment_rank_known": (lambda: FacultyAppointmentFactory(rank="king"), "invalid_choice"),
    "faculty_facultystatusevent_append_only": (a_step_rewritten, "immutable"),
}


def test_every_constraint_of_the_app_is_tried():
    models = (Faculty, FacultyAppointment, FacultyStatusEvent)

    assert {constraint.name for model in models for constraint in model._meta.constraints} <= VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name_and_answered_by_code(name):
    violate, code = VIOLATIONS[name]

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        violate()

    assert refused.value.__cause__.diag.constraint_name == name
    assert error_for(refused.value).error_code == code


def test_one_post_may_follow_another():
    first = FacultyAppointmentFactory(valid=DateRange(date(2020, 9, 1), date(2026, 1, 1), "[)"))

    FacultyAppointmentFactory(faculty=first.faculty, valid=DateRange(date(2026, 1, 1), None, "[)"))

    assert FacultyAppointment.objects.lasting().count() == 1
