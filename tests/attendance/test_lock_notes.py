"""Why a sheet was locked, unlocked or opened again may name people: erasure empties it, and what it said before."""

import pytest
from django.db import transaction
from django.utils import timezone

from attendance import services
from attendance.models import ClassSession
from audit.models import Change
from core.privacy import erase
from privacy.services import subject_of
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
SAID = "Ada Lovelace and Emmy Noether were mixed up"


def noted(session):
    """Lock a sheet, unlock it with one reason and lock it again with another."""
    now = timezone.now()
    for act, reason in (
        (services.lock_session, ""), (services.unlock_session, SAID), (services.lock_session, f"{SAID}, mended"),
    ):  # fmt: skip
        act(session, by=None, at=now, reason=reason)
    return session


def history(session):
    entries = Change.objects.filter(row_id=str(session.pk), operation="update").order_by("id")
    return [entry.changes["lock_note"] for entry in entries if "lock_note" in entry.changes]


def erased(person, *, dry_run=False):
    with transaction.atomic():
        return erase(subject_of(person), dry_run=dry_run)


def who(session, part):
    """Return somebody whom a reason given for the session may be about."""
    if part == "student":
        mark = AttendanceRecordFactory(session=session)
        return mark.enrollment.student.person_id
    if part == "teacher":
        return SectionInstructorFactory(section=session.section).faculty.person_id
    substitute = FacultyFactory()
    ClassSession.objects.filter(pk=session.pk).update(substitute=substitute)
    session.refresh_from_db()
    return substitute.person_id


@pytest.mark.checklist(88)
@pytest.mark.parametrize("part", ["student", "teacher", "substitute"])
def test_what_was_said_of_a_class_goes_with_whom_it_may_have_been_about(part):
    session, elsewhere = ClassSessionFactory(), noted(ClassSessionFactory())
    person = who(session, part)
    session = noted(session)
    empty = ClassSessionFactory(section=session.section)
    before = history(session)

    counted = erased(person, dry_run=True)
    assert counted["attendance.ClassSession"] == 1
    assert (ClassSession.objects.get(pk=session.pk).lock_note, history(session)) == (f"{SAID}, mended", before)

    assert erased(person)["attendance.ClassSession"] == 1

    now = ClassSession.objects.get(pk=session.pk)
    assert (now.lock_note, now.marking, now.version) == ("", "locked", session.version + 1)
    assert SAID not in str(history(session))
    assert len(history(session)) >= len(before)
    assert ClassSession.objects.get(pk=empty.pk).version == empty.version
    assert ClassSession.objects.get(pk=elsewhere.pk).lock_note == f"{SAID}, mended"
    assert SAID in str(history(elsewhere))
    assert "attendance.ClassSession" not in erased(person)


def test_what_was_said_goes_from_the_history_although_it_stands_there_no_more():
    session = noted(EnrollmentFactory(section=ClassSessionFactory().section).section.class_sessions.get())
    services.unlock_session(session, by=None, at=timezone.now(), reason="Again")
    services.lock_session(session, by=None, at=timezone.now())
    assert SAID in str(history(session))

    counts = erased(session.section.enrollments.get().student.person_id)

    assert "attendance.ClassSession" not in counts
    assert SAID not in str(history(session))
