"""Marks as a table, in the columns in which an import reads them back."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet

from attendance.models import AttendanceCode, AttendanceRecord, ClassSession
from courses.models import Section
from students.models import Student

HEADER = ("student_no", "term", "course_code", "section_code", "starts_at", "code", "minutes_late")
COLUMNS = (
    "enrollment__student__student_no", "section__term__code", "section__course__code", "section__code",
    "session__starts_at", "code__code", "minutes_late", "session__room__building__campus__time_zone",
    "section__campus__time_zone",
)  # fmt: skip
# Sessions whose marks are read at a time, and those that are known ahead: what is held of a table of any length.
SESSIONS = 50
KNOWN = 10_000


def table(records: QuerySet[AttendanceRecord]) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the header and then these marks in batches, in the order in which the sessions began.

    Beginnings are told in the time of the campus where a session takes place, with its offset. A few sessions are read
    at a time, of those alone in which one of the records is.
    """
    yield [HEADER]
    for sessions in _sessions(records):
        # The dates name the months in which the database has to look.
        found = records.filter(session__in=[pk for pk, _ in sessions], local_date__in={day for _, day in sessions})
        rows = found.order_by("session__starts_at", "session", "enrollment__student__student_no")
        yield [_line(*row) for row in rows.values_list(*COLUMNS)]


def _sessions(records: QuerySet[AttendanceRecord]) -> Iterator[list[tuple[UUID, date]]]:
    """Yield the sessions of records and their days, a few at a time, in the order in which they began."""
    sessions = _marked(records).order_by("starts_at", "pk").values_list("starts_at", "pk", "local_date")
    after = Q()
    while known := list(sessions.filter(after)[:KNOWN]):
        for begin in range(0, len(known), SESSIONS):
            yield [(pk, day) for _, pk, day in known[begin : begin + SESSIONS]]
        if len(known) < KNOWN:
            return
        starts_at, last, _ = known[-1]
        after = Q(starts_at__gt=starts_at) | Q(starts_at=starts_at, pk__gt=last)


def _marked(records: QuerySet[AttendanceRecord]) -> QuerySet[ClassSession]:
    return ClassSession.objects.filter(pk__in=records.order_by().values("session"))


def _line(*row: Any) -> Sequence[Any]:
    *cells, of_room, of_section = row
    cells[4] = _local(cells[4], of_room or of_section)
    return cells


def _local(instant: datetime, zone: str | None) -> str:
    return instant.astimezone(ZoneInfo(zone or settings.TIME_ZONE)).isoformat()


def facts(records: QuerySet[AttendanceRecord]) -> list[str]:
    """Return what is not the same any more when a cell of a table is not.

    The rows to which marks refer, and no others, are asked by themselves: beside every mark, they would be read a
    million times.
    """
    marks = records.order_by()
    sections = Section.objects.filter(pk__in=marks.values("section"))
    students = Student.objects.filter(enrollments__in=marks.values("enrollment"))
    found = [
        marks.aggregate(Count("pk"), Max("updated_at")),
        _marked(records).aggregate(*_newest("", "room__", "room__building__", "room__building__campus__")),
        sections.order_by().aggregate(*_newest("", "term__", "course__", "campus__")),
        students.order_by().aggregate(Max("updated_at")),
        AttendanceCode.objects.order_by().aggregate(Max("updated_at")),
    ]
    return [str(each[name]) for each in found for name in sorted(each)]


def _newest(*paths: str) -> list[Max]:
    return [Max(f"{path}updated_at") for path in paths]
