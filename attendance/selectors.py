"""What is asked of attendance."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, FilteredRelation, Q, QuerySet

from attendance.models import ClassSession
from courses.selectors import sections_of_late
from enrollment.models import Enrollment, EnrollmentStatus
from faculty.models import Faculty


def expected_in(session: ClassSession) -> QuerySet[Enrollment]:
    """Return the enrolments of those who are expected in a session: what lasted while it took place, and counts."""
    return Enrollment.objects.filter(
        Q(enrolled_at=None) | Q(enrolled_at__lt=session.ends_at),
        Q(dropped_at=None) | Q(dropped_at__gt=session.starts_at),
        section=session.section_id,
    ).exclude(status=EnrollmentStatus.PENDING)


def digest_of(expected: Iterable[UUID]) -> str:
    """Return what changes whenever somebody else is expected in a session."""
    return hashlib.sha256("".join(sorted(map(str, expected))).encode()).hexdigest()[:16]


def sessions_taken_over_by(person_id: Any) -> QuerySet[ClassSession, Any]:
    """Return the sessions in which a person substitutes, for as long as a teacher's are their business, for an `__in`.

    That is until `INSTRUCTOR_ACCESS_GRACE` after the last day of the term.
    """
    own = ClassSession.objects.filter(substitute__in=Faculty.objects.filter(person=person_id).values("pk"))
    return own.filter(section__in=sections_of_late()).values("pk")


def sheet(session: ClassSession) -> QuerySet[Any]:
    """Return those who are expected in a session, each with what they were marked with there as `mark`."""
    return expected_in(session).alias(
        mark=FilteredRelation(
            "attendance_records",
            # The date names the month in which the database has to look.
            condition=Q(attendance_records__session=session.pk, attendance_records__local_date=session.local_date),
        )
    )


def sheet_by_name(session: ClassSession) -> QuerySet[Any]:
    """Return those who are expected in a session in the order of their names, with what a teacher is shown of each."""
    shown = {
        "mark_code": F("mark__code__code"), "mark_minutes_late": F("mark__minutes_late"),
        "mark_source": F("mark__source"), "mark_at": F("mark__marked_at"),
        "mark_by": F("mark__marked_by"),
    }  # fmt: skip
    names = ("student__person__last_name", "student__person__first_name", "pk")
    found: QuerySet[Any] = sheet(session).annotate(**shown).select_related("student__person").order_by(*names)
    return found


def decided(enrollments: QuerySet[Any]) -> QuerySet[Any]:
    """Return enrolments with what was decided at last about each: its id, outcome, time and counts, as `decision_…`."""
    found: QuerySet[Any] = enrollments.alias(
        decision=FilteredRelation(
            "eligibility_decisions", condition=Q(eligibility_decisions__superseded_at__isnull=True)
        )
    ).annotate(
        decision_id=F("decision__pk"), decision_outcome=F("decision__outcome"), decision_at=F("decision__decided_at"),
        decision_attended=F("decision__attended"), decision_counted=F("decision__counted"),
        decision_exempt=F("decision__exempt"),
    )  # fmt: skip
    return found
