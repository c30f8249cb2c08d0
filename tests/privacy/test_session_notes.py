"""Why a class was moved or cancelled may name people: it is emptied when one of them is erased, in the history too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from attendance import services as attendance
from attendance.models import ClassSession, SessionStatus
from attendance.services.generation import OFF
from audit.models import Change
from privacy import services
from tests.attendance.conftest import generate, side
from tests.attendance.factories import ClassSessionFactory, SubstitutionFactory
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import CalendarEventFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import StudentFactory

__all__ = ["side"]
pytestmark = [pytest.mark.django_db, pytest.mark.checklist(88)]
SAID = "Ada Lovelace is in hospital"
LATER = timedelta(days=2)


def move(session, reason):
    begins, ends = session.starts_at + LATER, session.ends_at + LATER
    attendance.reschedule_session(session, starts_at=begins, ends_at=ends, by=None, at=timezone.now(), reason=reason)


def told():
    """Return a class that was moved for one reason and cancelled for another."""
    session = ClassSessionFactory(starts_at=timezone.now() + LATER)
    move(session, f"{SAID}, tells Emmy Noether")
    return attendance.cancel_session(session, by=None, at=timezone.now(), reason=SAID)


def now(session):
    return ClassSession.objects.get(pk=session.pk)


def history(session):
    entries = Change.objects.filter(row_id=str(session.pk)).order_by("id")
    return [entry.changes["note"] for entry in entries if "note" in (entry.changes or {})]


def who(session, part):
    """Return somebody who has left, and of whom what is said of the session may speak."""
    if part == "student":
        return EnrollmentFactory(section=session.section, student__status="graduated").student.person_id
    faculty = FacultyFactory(status="retired")
    if part == "teacher":
        SectionInstructorFactory(section=session.section, faculty=faculty)
    else:
        SubstitutionFactory(session=session, **{part: faculty})
    return faculty.person_id


@pytest.mark.parametrize("part", ["student", "teacher", "substitute", "instructor"])
def test_what_was_said_of_a_class_goes_with_whom_it_may_have_been_about(part):
    session, elsewhere = told(), told()
    person = who(session, part)
    before, said = now(session), history(session)

    counted = services.erase_person(person, dry_run=True)
    assert counted["attendance.ClassSession"] == 1
    assert (now(session).note, history(session)) == (SAID, said)

    assert services.erase_person(person, dry_run=False) == counted

    after = now(session)
    assert (after.note, after.status, after.starts_at) == ("", SessionStatus.CANCELLED, before.starts_at)
    # Who has read it reads it again, and calendars do.
    assert (after.version, after.revision) == (before.version + 1, before.revision + 1)
    assert "Ada" not in str(history(session))
    assert len(history(session)) >= len(said)
    assert (now(elsewhere).note, SAID in str(history(elsewhere))) == (SAID, True)
    assert services.erase_person(person, dry_run=False) == {}


def test_what_was_said_goes_from_all_that_were_moved_for_it():
    session = ClassSessionFactory(starts_at=timezone.now() + LATER)
    gathers = ClassSessionFactory(starts_at=session.starts_at, gathering=session.gathering)
    move(session, SAID)
    assert now(gathers).note == SAID

    services.erase_person(who(session, "student"), dry_run=False)

    assert (now(session).note, now(gathers).note) == ("", "")
    assert "Ada" not in str(history(gathers))


def test_what_was_said_goes_from_the_history_although_another_stands_there():
    session = ClassSessionFactory(starts_at=timezone.now() + LATER)
    move(session, SAID)
    move(now(session), "")
    person = who(session, "student")

    counted = services.erase_person(person, dry_run=False)

    assert "attendance.ClassSession" not in counted
    assert "Ada" not in str(history(session))


def test_a_class_that_the_timetable_took_off_is_still_known_by_it_and_comes_back(side):
    generate()
    session = ClassSession.objects.latest("starts_at")
    SubstitutionFactory(session=session, instructor=side.physics.faculty)
    student = StudentFactory(status="graduated")
    EnrollmentFactory(section=session.section, student=student)
    holiday = CalendarEventFactory(starts_on=session.local_date, ends_on=session.local_date)
    generate()
    assert (now(session).note, now(session).status) == (OFF, SessionStatus.CANCELLED)

    services.erase_person(student.person_id, dry_run=False)

    assert now(session).note == OFF
    holiday.delete()
    assert generate().changed == 1
    assert (now(session).note, now(session).status) == ("", SessionStatus.SCHEDULED)
