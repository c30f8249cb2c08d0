"""Who takes a class has no hand in whether they count as having been there.

Nobody marks a section in which they are enrolled, even if they teach it; nor do they show its code, let themselves in
by it where they could have shown it, or settle whether its classes take place.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from attendance.models import ClassSession, Roster
from core.duties import may_not_be_same
from core.errors import ForbiddenError
from core.visibility import Actor, visible
from enrollment.models import Enrollment, EnrollmentStatus
from students.selectors import in_person

CHANGE_ROSTER = "attendance.change_roster"


class SelfMarkingError(ForbiddenError):
    """Whoever takes a section decides about no mark in it, even if they teach it as well."""

    code = "self_marking"
    title = "Nobody marks the attendance of a section in which they are enrolled."


def may_not_take(sessions: Iterable[ClassSession], *, by: Actor | None) -> None:
    """Raise `SelfMarkingError` where whoever acts is enrolled in the section of a session, or was when it was."""
    may_not_be_same(by, SelfMarkingError, people=_takers(sessions, by))


def may_mark(session: ClassSession, by: Any) -> bool:
    """Say whether somebody may mark the students of a session, whatever stands against it in the session itself."""
    may = by.has_perm(CHANGE_ROSTER)
    return may and visible(Roster.objects.filter(pk=session.pk), by, to="manage").exists()


def _takers(sessions: Iterable[ClassSession], by: Actor | None) -> list[UUID]:
    """Return the person that acts if they take one of the sessions, in two statements however large the sections."""
    acting = in_person(by)
    if not acting:
        return []
    there = Q(pk=None)
    for session in sessions:
        there |= Q(section=session.section_id) & (Q(dropped_at=None) | Q(dropped_at__gt=session.starts_at))
    rows = Enrollment.objects.filter(there, student__in=list(acting)).exclude(status=EnrollmentStatus.PENDING)
    return [acting[student] for student in rows.values_list("student", flat=True)]
