"""Every named constraint of sessions and of what they reserve refuses what it names, whoever writes."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from attendance.models import ClassSession
from departments.models import RoomReservation
from faculty.models import FacultyReservation
from tests.courses.factories import SectionFactory
from tests.departments.factories import RoomFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOT = DateTimeTZRange(NOON, NOON + HOUR, "[)")
LATER = DateTimeTZRange(NOON + HOUR, NOON + 2 * HOUR, "[)")
ENDLESS = DateTimeTZRange(NOON, None, "[)")


def session(**values):
    usual = {"gathering": uuid4(), "planned_on": date(2026, 10, 12), "local_date": date(2026, 10, 12)}
    section = values.pop("section", None) or SectionFactory()
    return ClassSession.objects.create(
        **{**usual, "section": section, "starts_at": NOON, "ends_at": NOON + HOUR, **values}
    )


def room(**values):
    own = values.pop("room", None) or RoomFactory()
    return RoomReservation.objects.create(**{"room": own, "slot": SLOT, "kind": "class", "what": "x", **values})


def person(**values):
    own = values.pop("faculty", None) or FacultyFactory()
    return FacultyReservation.objects.create(
        **{"faculty": own, "slot": SLOT, "kind": "class", "what": "x", "source": uuid4(), **values}
    )


VIOLATIONS = {
    "attendance_classsession_once": lambda: (one := session(), session(section=one.section, gathering=one.gathering)),
    "attendance_classsession_has_length": lambda: session(ends_at=NOON),
    "attendance_classsession_within_a_day": lambda: session(ends_at=NOON + timedelta(days=1, seconds=1)),
    "attendance_classsession_status_known": lambda: session(status="mood"),
    "departments_roomreservation_room_free": lambda: room(room=room().room),
    "departments_roomreservation_one_of_source": lambda: [room(source=source) for source in [uuid4()] * 2],
    "departments_roomreservation_has_length": lambda: room(slot=ENDLESS),
    "departments_roomreservation_kind_known": lambda: room(kind="mood"),
    "departments_roomreservation_status_known": lambda: room(status="mood"),
    "faculty_facultyreservation_free": lambda: person(faculty=person().faculty),
    "faculty_facultyreservation_once": lambda: (
        one := person(), person(faculty=one.faculty, source=one.source, slot=LATER)
    ),
    "faculty_facultyreservation_kind_known": lambda: person(kind="mood"),
    "faculty_facultyreservation_has_length": lambda: person(slot=ENDLESS),
}  # fmt: skip


def test_every_constraint_is_tried():
    models = (ClassSession, RoomReservation, FacultyReservation)

    assert {constraint.name for model in models for constraint in model._meta.constraints} == VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    assert refused.value.__cause__.diag.constraint_name == name


def test_one_use_after_another_one_that_is_off_and_one_that_is_waived_do_not_clash():
    held = room()

    room(room=held.room, slot=LATER)
    room(room=held.room, status="cancelled")
    room(room=held.room, conflict_waived=True)
    wanted = person()
    person(faculty=wanted.faculty, cancelled_at=NOON)
