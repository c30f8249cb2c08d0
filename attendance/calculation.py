"""The one calculator of attendance: what counts, what it is divided by, and what is known about neither.

    percent = 100 · Σ weight / (classes that the student was marked in - exempt ones)

A class is a student's if their enrolment lasted while it took place, and it was not cancelled. One in which nobody has
marked them is told apart as unmarked and is in neither sum: nobody is taken to have been there, or to have been absent,
because nobody said so. Nothing is stored; two statements read the same rows, one summed up and one singly. Both ask the
primary, like whatever counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db import connection

# Below this, a student falls short.
THRESHOLD = Decimal(75)
HUNDREDTH = Decimal("0.01")

_OF_THE_STUDENT = """
    (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at) AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
"""
# The date names the month in which the database has to look for a mark.
_ROWS = """
    FROM enrollment_enrollment e
    JOIN attendance_classsession s ON s.section_id = e.section_id
    LEFT JOIN attendance_attendancerecord r
        ON r.session_id = s.id AND r.enrollment_id = e.id AND r.local_date = s.local_date
    LEFT JOIN attendance_attendancecode c ON c.id = r.code_id
    WHERE e.id = ANY (%(enrollments)s)
"""
_SUMS = f"""
    SELECT e.id,
        count(*) FILTER (WHERE NOT c.is_exempt),
        count(*) FILTER (WHERE c.is_exempt),
        coalesce(sum(c.weight), 0),
        count(*) FILTER (WHERE c.id IS NULL AND s.starts_at <= %(at)s),
        count(*) FILTER (WHERE c.id IS NULL AND s.starts_at > %(at)s)
    {_ROWS} AND s.status = 'scheduled' AND {_OF_THE_STUDENT}
    GROUP BY e.id
"""  # nosec B608 - made of the constants above
_UNITS = f"""
    SELECT s.id, s.local_date, s.starts_at, c.code, c.weight,
        CASE
            WHEN s.status <> 'scheduled' THEN 'cancelled'
            WHEN NOT ({_OF_THE_STUDENT}) THEN 'not_enrolled'
            WHEN c.is_exempt THEN 'exempt'
            WHEN c.id IS NOT NULL THEN 'counted'
            WHEN s.starts_at > %(at)s THEN 'to_come'
            ELSE 'unmarked'
        END
    {_ROWS} ORDER BY s.starts_at, s.id
"""  # nosec B608 - made of the constants above


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often somebody was there: `attended` of `counted` classes, apart from those exempt, unmarked and to come."""

    counted: int = 0
    exempt: int = 0
    attended: Decimal = Decimal(0)
    unmarked: int = 0
    to_come: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    @property
    def percent(self) -> Decimal | None:
        """Of a hundred, to two places, half up; None while nothing counts."""
        return percent_of(self.attended, self.counted)

    @property
    def may_miss(self) -> int:
        """How many of the classes to come may be missed without falling short in the end, if all others are attended.

        None may when that is not to be reached; what is unmarked now is left out.
        """
        left = self.attended + self.to_come - THRESHOLD / 100 * (self.counted + self.to_come)
        return max(0, min(self.to_come, int(left.to_integral_value(ROUND_FLOOR))))

    @property
    def is_short(self) -> bool:
        """Whether the percentage is below what is asked for."""
        return self.attended * 100 < THRESHOLD * self.counted


@dataclass(frozen=True)
class Unit:
    """One session of the section, and what it comes to for one student."""

    session: UUID
    local_date: date
    starts_at: datetime
    code: str | None
    weight: Decimal | None
    counts_as: str


def percent_of(attended: Decimal, counted: Decimal | int) -> Decimal | None:
    """Return how much of what counts was attended, of a hundred and to two places; None of nothing."""
    return (100 * attended / counted).quantize(HUNDREDTH, ROUND_HALF_UP) if counted else None


def tallies(enrollments: Iterable[UUID], *, at: datetime) -> Mapping[UUID, Tally]:
    """Return how often the students of enrolments were there, in one statement however many they are."""
    ids = list(enrollments)
    rows = _ask(_SUMS, ids, at)
    names = ("counted", "exempt", "attended", "unmarked", "to_come")
    found = {row[0]: Tally(**dict(zip(names, row[1:], strict=True))) for row in rows}
    return {pk: found.get(pk, Tally()) for pk in ids}


def units(enrollment: UUID, *, at: datetime) -> list[Unit]:
    """Return every session of the section of an enrolment, by time, and what it comes to."""
    return [Unit(*row) for row in _ask(_UNITS, [enrollment], at)]


def tally_of(found: Sequence[Unit]) -> Tally:
    """Return what units come to together."""
    counts = Counter(unit.counts_as for unit in found)
    return Tally(
        counted=counts["counted"],
        exempt=counts["exempt"],
        attended=sum((unit.weight or Decimal(0) for unit in found if unit.counts_as == "counted"), Decimal(0)),
        unmarked=counts["unmarked"],
        to_come=counts["to_come"],
    )


def _ask(statement: str, enrollments: list[UUID], at: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"enrollments": enrollments, "at": at})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
