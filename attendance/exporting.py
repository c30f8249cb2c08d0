"""Marks as a table, in the columns in which an import reads them back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
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
# Sessions whose marks are read at a time: what is held of a table of any length.
SESSIONS = 50


def table(records: QuerySet[AttendanceRecord], sessions: QuerySet[ClassSession]) -> Iterator[Sequence[Any]]:
    """Yield the header and then the marks, among these records, of these sessions, in the order in which they began.

    Beginnings are told in the time of the campus where a session takes place, with its offset. A few sessions are read
    at a time.
    """
    yield HEADER
    after = Q()
    while some := list(
        sessions.filter(after).order_by("starts_at", "pk").values_list("starts_at", "pk", "local_date")[:SESSIONS]
    ):
        starts_at, last, _ = some[-1]
        after = Q(starts_at__gt=starts_at) | Q(starts_at=starts_at, pk__gt=last)
        # The dates name the months in which the database has to look.
        found = records.filter(session__in=[pk for _, pk, _ in some], local_date__in={day for _, _, day in some})
        rows = found.order_by("session__starts_at", "session", "enrollment__student__student_no")
        for *cells, of_room, of_section in rows.values_list(*COLUMNS):
            cells[4] = _local(cells[4], of_room or of_section)
            yield cells


def _local(instant: datetime, zone: str | None) -> str:
    return instant.astimezone(ZoneInfo(zone or settings.TIME_ZONE)).isoformat()


def facts(records: QuerySet[AttendanceRecord], sessions: QuerySet[ClassSession]) -> list[str]:
    """Return what is not the same any more when a cell of a table is not.

    The rows to which marks refer are asked by themselves: beside every mark, they would be read a million times.
    """
    sections = Section.objects.filter(pk__in=sessions.order_by().values("section"))
    found = [
        records.order_by().aggregate(Count("pk"), Max("updated_at")),
        sessions.order_by().aggregate(*_newest("", "room__", "room__building__", "room__building__campus__")),
        sections.order_by().aggregate(*_newest("", "term__", "course__", "campus__")),
        Student.objects.filter(enrollments__section__in=sections).order_by().aggregate(Max("updated_at")),
        AttendanceCode.objects.order_by().aggregate(Max("updated_at")),
    ]
    return [str(each[name]) for each in found for name in sorted(each)]


def _newest(*paths: str) -> list[Max]:
    return [Max(f"{path}updated_at") for path in paths]
