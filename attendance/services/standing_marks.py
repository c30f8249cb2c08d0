"""Records as whoever imports marks sees them: the mark that is in force, or that lies beneath an excuse."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from attendance.models import AttendanceRecord
from attendance.services.sheets import Key, Made

NOTHING = Made(None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The dates name the months in which the database has to look.
_STANDING = """
    SELECT r.id, r.session_id, r.enrollment_id, r.local_date,
        r.code_id, r.minutes_late, r.source, r.marked_by_id, r.marked_at, r.client_id,
        u.excuse_id, u.code_id, u.minutes_late, u.source, u.marked_by_id, u.marked_at, u.client_id
    FROM <wanted>
    LEFT JOIN attendance_coveredmark u
        ON r.source = 'excuse' AND u.session_id = r.session_id AND u.enrollment_id = r.enrollment_id
"""
_AT = _STANDING.replace(
    "<wanted>",
    """unnest(%(sessions)s::uuid[], %(enrollments)s::uuid[], %(days)s::date[]) AS k (session_id, enrollment_id, day)
    JOIN attendance_attendancerecord r
        ON r.session_id = k.session_id AND r.enrollment_id = k.enrollment_id AND r.local_date = k.day
        AND r.local_date BETWEEN %(first)s AND %(last)s""",
)  # nosec B608 - made of constants
_WITH_IDS = _STANDING.replace(
    "<wanted>",
    """(SELECT * FROM attendance_attendancerecord
        WHERE id = ANY (%(ids)s) AND local_date BETWEEN %(first)s AND %(last)s) r""",
)  # nosec B608 - made of constants


@dataclass(frozen=True)
class Standing:
    """A record: what the student is marked with, or would be if the excuse did not cover it."""

    pk: UUID
    session: UUID
    enrollment: UUID
    local_date: date
    mark: Made
    excuse: UUID | None = None

    @property
    def key(self) -> Key:
        return self.session, self.enrollment

    @property
    def version(self) -> int:
        """What tells whether somebody has marked the student since: when it was, in microseconds since 1970."""
        at = self.mark.marked_at
        return 0 if at is None else (at - EPOCH) // timedelta(microseconds=1)


def standing_at(places: Collection[tuple[UUID, UUID, date]]) -> dict[Key, Standing]:
    """Return the records of enrolments in sessions of these dates that there are."""
    if not places:
        return {}
    sessions, enrollments, days = zip(*places, strict=True)
    wanted = {"sessions": list(sessions), "enrollments": list(enrollments), "days": list(days)}
    return {row.key: row for row in _read(_AT, {**wanted, "first": min(days), "last": max(days)})}


def standing_with(ids: Collection[UUID], *, first: date, last: date) -> dict[UUID, Standing]:
    """Return the records with these ids, of sessions from one day to another."""
    rows = _read(_WITH_IDS, {"ids": list(ids), "first": first, "last": last})
    return {row.pk: row for row in rows}


def _read(statement: str, parameters: dict[str, Any]) -> Iterable[Standing]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for pk, session, enrollment, day, *rest in cursor.fetchall():
            own, excuse, beneath = rest[:6], rest[6], rest[7:]
            yield Standing(pk, session, enrollment, day, Made(*(own if excuse is None else beneath)), excuse)


def erase(rows: Sequence[Standing]) -> None:
    """Take records away, in one statement."""
    days = {row.local_date for row in rows}
    AttendanceRecord.objects.filter(pk__among=[row.pk for row in rows], local_date__among=days).delete()
