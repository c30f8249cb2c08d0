"""Who was in the classes, by COPY: a mark for everybody who was expected.

The triggers are on, and all marks of a section go in by one statement: so each summary is written once, by what keeps
it at any other time. Some sections are read and marked at a time, however many there are.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from attendance.models import AttendanceCode, AttendanceRecord, AttendanceSummary, ClassSession, Marking, Source
from campushub360.demo.classes import Classes
from campushub360.demo.rows import Keys, copy_lines
from core.partitions import open_months
from courses.models import Section
from departments.models import Term, TermState
from enrollment.models import Enrollment, EnrollmentStatus

# So many sections at a time: a hundred thousand marks, where their whole term is marked.
BATCH = 50
CLASSES_A_WEEK = 2.6
# Everybody misses some classes, and a few students many: shares of the classes of the best and the worst.
LEAST_ABSENT, MOST_ABSENT, HOW_FEW = 0.02, 0.42, 8
LATE, EXCUSED = 0.04, 0.15
MOST_MINUTES_LATE = 25
# Since then is enrolled of whom nobody knows since when.
BEGINNING = datetime.min.replace(tzinfo=UTC)
COLUMNS = (
    "id", "created_at", "updated_at", "session_id", "section_id", "enrollment_id", "code_id", "minutes_late", "source",
    "marked_at", "local_date",
)  # fmt: skip


@dataclass(frozen=True)
class Attendee:
    """An enrolment, and how large a share of the classes its student misses."""

    id: UUID
    enrolled_at: datetime
    dropped_at: datetime | None
    absent: float

    def is_expected(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.enrolled_at < ends_at and (self.dropped_at is None or self.dropped_at > starts_at)


class Marks:
    """The marks of all classes whose sheets somebody has opened."""

    def __init__(self, classes: Classes, *, seed: int, keys: Keys) -> None:
        self._terms, self._first, self._now = classes.terms, classes.first, classes.now
        self._chooser = random.Random(f"marks:{seed}")  # noqa: S311 - demo data needs repetition, not secrecy
        self._keys = keys
        self._codes = {code.code: str(code.pk) for code in AttendanceCode.objects.all()}

    def expected_rows(self) -> int:
        """Return about how many there will be."""
        sizes = dict(_live().filter(term__in=self._terms).order_by().values_list("term").annotate(Count("pk")))
        return int(sum(sizes.get(term.pk, 0) * self._weeks_of(term) * CLASSES_A_WEEK for term in self._terms))

    def _weeks_of(self, term: Term) -> float:
        return (min(term.ends_on, self._now.date()) - max(term.starts_on, self._first)).days / 7

    def load(self, bar: Any) -> Counter[str]:
        """Write them, and return the number of rows by kind, summaries included; they move the progress bar."""
        open_months(AttendanceRecord._meta.db_table, first=self._first, last=self._now.date())
        counts: Counter[str] = Counter()
        for term in self._terms:
            # Plans that were made for the empty table would look for each row in all of it.
            analyze(Enrollment, ClassSession, AttendanceSummary)
            ids = list(Section.objects.filter(term=term).order_by("pk").values_list("pk", flat=True))
            # Nobody is marked in a term that is closed: these were while it lasted.
            _put(term, TermState.IN_PROGRESS)
            for start in range(0, len(ids), BATCH):
                made = copy_lines(AttendanceRecord, COLUMNS, self._lines(ids[start : start + BATCH]))
                counts[str(AttendanceRecord._meta.verbose_name_plural)] += made
                bar.update(made)
            _put(term, term.state)
        counts[str(AttendanceSummary._meta.verbose_name_plural)] = AttendanceSummary.objects.count()
        return counts

    def _lines(self, sections: Sequence[UUID]) -> Iterator[str]:
        """Yield the marks of some sections, class by class."""
        attendees = _attendees_of(sections)
        marked = ClassSession.objects.filter(section__in=sections).exclude(marking=Marking.SCHEDULED)
        rows = marked.order_by("section", "starts_at").values_list(
            "pk", "section", "local_date", "starts_at", "ends_at"
        )
        for pk, section, day, starts_at, ends_at in rows:
            at = ends_at.isoformat()
            before, after = f"{at}\t{at}\t{pk}\t{section}", f"{Source.IMPORT.value}\t{at}\t{day}\n"
            milliseconds = int(ends_at.timestamp()) * 1000
            for attendee in attendees[section]:
                if attendee.is_expected(starts_at, ends_at):
                    code, minutes = self._fate(attendee.absent)
                    key = self._keys.hex_at(milliseconds)
                    yield f"{key}\t{before}\t{attendee.id}\t{self._codes[code]}\t{minutes}\t{after}"

    def _fate(self, absent: float) -> tuple[str, str]:
        """Return with what somebody is marked who misses such a share of the classes, and by how much they are late."""
        fate = self._chooser.random()
        if fate < absent:
            return ("excused" if fate < absent * EXCUSED else "absent"), r"\N"
        if fate < absent + LATE:
            return "late", str(1 + int(fate * 10_000) % MOST_MINUTES_LATE)
        return "present", r"\N"


def analyze(*models: Any) -> None:
    """Tell the planner what has been loaded; it would otherwise plan for empty tables."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(quote(model._meta.db_table) for model in models))


def _attendees_of(sections: Iterable[UUID]) -> defaultdict[UUID, list[Attendee]]:
    found: defaultdict[UUID, list[Attendee]] = defaultdict(list)
    rows = _live().filter(section__in=sections).order_by("pk")
    columns = ("section", "pk", "student", "enrolled_at", "dropped_at")
    for section, pk, student, enrolled_at, dropped_at in rows.values_list(*columns):
        found[section].append(Attendee(pk, enrolled_at or BEGINNING, dropped_at, share_missed(student)))
    return found


def share_missed(student: UUID) -> float:
    """Return how large a share of their classes a student misses: little for most, and the same in all courses."""
    return LEAST_ABSENT + (MOST_ABSENT - LEAST_ABSENT) * (student.int % 2**20 / 2**20) ** HOW_FEW


def _put(term: Term, state: str) -> None:
    """Let a term be in a state, as the tables are written here: past the services, within one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE departments_term SET state = %s WHERE id = %s AND state <> %s", [state, term.pk, state])


def _live() -> QuerySet[Enrollment]:
    return Enrollment.objects.exclude(status=EnrollmentStatus.PENDING)
