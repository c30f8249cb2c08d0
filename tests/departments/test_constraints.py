"""Every named constraint of the app refuses what it names, whoever writes."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F

from departments.models import (
    AcademicYear,
    Appointment,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    Room,
    Term,
)
from tests.accounts.factories import PersonFactory
from tests.departments.factories import (
    AcademicYearFactory,
    BuildingFactory,
    CalendarEventFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)

pytestmark = pytest.mark.django_db
SPAN = DateRange(date(2026, 1, 1), None, "[)")


def appointment(**values):
    return Appointment.objects.create(
        **{"department": DepartmentFactory(), "person": PersonFactory(), "role": "head", "valid": SPAN, **values}
    )


def second_head():
    first = appointment()
    appointment(department=first.department)


def same_office_twice():
    first = appointment(role="deputy")
    appointment(department=first.department, person=first.person, role="deputy")


def cycle():
    child = DepartmentFactory(parent=DepartmentFactory())
    Department.objects.filter(pk=child.parent_id).update(parent=child)


VIOLATIONS = {
    "departments_department_unique_code": lambda: DepartmentFactory(code=DepartmentFactory().code),
    "departments_department_kind_known": lambda: DepartmentFactory(kind="castle"),
    "departments_department_no_cycle": cycle,
    "departments_appointment_one_head": second_head,
    "departments_appointment_no_overlap": same_office_twice,
    "departments_appointment_role_known": lambda: appointment(role="king"),
    "departments_program_unique_code": lambda: ProgramFactory(code=ProgramFactory().code),
    "departments_program_credits_not_negative": lambda: ProgramFactory(total_credits=Decimal(-1)),
    "departments_program_level_known": lambda: ProgramFactory(level="wizard"),
    "departments_campus_unique_code": lambda: CampusFactory(code=CampusFactory().code),
    "departments_building_unique_code": lambda: (b := BuildingFactory(), BuildingFactory(campus=b.campus, code=b.code)),
    "departments_room_unique_code": lambda: (r := RoomFactory(), RoomFactory(building=r.building, code=r.code)),
    "departments_room_exam_capacity_fits": lambda: RoomFactory(capacity=1, exam_capacity=2),
    "departments_room_kind_known": lambda: RoomFactory(kind="cave"),
    "departments_academicyear_unique_code": lambda: AcademicYearFactory(code=AcademicYearFactory().code),
    "departments_academicyear_has_length": lambda: AcademicYearFactory(ends_on=date(2026, 9, 1)),
    "departments_term_unique_code": lambda: TermFactory(code=TermFactory().code),
    "departments_term_has_length": lambda: TermFactory(ends_on=date(2026, 9, 1)),
    "departments_term_state_known": lambda: TermFactory(state="limbo"),
    "departments_term_within_year": lambda: TermFactory(academic_year=AcademicYearFactory(starts_on=date(2026, 9, 2))),
    "departments_academicyear_holds_terms": lambda: AcademicYear.objects.filter(
        pk=TermFactory().academic_year_id
    ).update(ends_on=date(2027, 1, 30)),
    "departments_calendarevent_has_length": lambda: CalendarEventFactory(ends_on=date(2026, 10, 25)),
    "departments_calendarevent_kind_known": lambda: CalendarEventFactory(kind="mood"),
    "departments_calendarevent_weekday_known": lambda: CalendarEventFactory(kind="make_up", taught_as=8),
    "departments_calendarevent_says_weekday": lambda: CalendarEventFactory(taught_as=1),
    "departments_calendarevent_make_up_is_one_day": lambda: CalendarEventFactory(
        kind="make_up", taught_as=1, ends_on=date(2026, 10, 27)
    ),
    "departments_calendarevent_one_make_up": lambda: [
        CalendarEventFactory(kind="make_up", taught_as=weekday) for weekday in (1, 2)
    ],
    "departments_department_not_own_parent": None,
}


def test_every_constraint_of_the_app_is_tried():
    declared = {
        constraint.name
        for model in (AcademicYear, Appointment, Building, CalendarEvent, Campus, Department, Program, Room, Term)
        for constraint in model._meta.constraints
    }

    assert declared <= VIOLATIONS.keys()


@pytest.mark.parametrize("name", [name for name, violate in VIOLATIONS.items() if violate])
def test_a_violation_is_refused_by_name(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    assert refused.value.__cause__.diag.constraint_name == name


def test_a_department_is_not_its_own_parent():
    """The trigger refuses it first; without the trigger the check constraint would."""
    department = DepartmentFactory()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Department.objects.filter(pk=department.pk).update(parent=F("pk"))

    assert refused.value.__cause__.diag.constraint_name in (
        "departments_department_no_cycle",
        "departments_department_not_own_parent",
    )
