"""The one calculator of attendance: what counts, what it is divided by, and what is known about neither.

    percent = 100 · Σ weight / (classes that the student was marked in - exempt ones)

A class is a student's if their enrolment lasted while it took place, and it was not cancelled. One in which nobody has
marked them is told apart as unmarked and is in neither sum: nobody is taken to have been there, or to have been absent,
because nobody said so. What marks decide stands in the summary that the database keeps (`attendance_counted` is what it
comes to), and what the policy makes of lates is `attendance_attended`; what the clock decides is counted
here. All numbers are exact: a percentage is compared without dividing, and rounded to be shown. Everything asks the
primary, like whatever counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from attendance.models import Basis, Rounding
from attendance.models.policies import HALF, HALF_A_HUNDREDTH
from core.db.prepared import prepared

HUNDREDTH = Decimal("0.01")
ONE_DAY = timedelta(days=1)

_OF_THE_STUDENT = """
    (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at) AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
"""
# The date names the month in which the database has to look for a mark.
_MARK = "r.session_id = s.id AND r.enrollment_id = e.id AND r.local_date = s.local_date"
# Only the months of what is to come are looked into, and planned for: its days begin a day before now, somewhere.
# Nobody is marked long before a class; a mark that is there all the same counts, and the class is not to come.
_SUMS = f"""
    SELECT e.id, e.student_id, e.term_id, e.status IN ('enrolled', 'completed'),
        coalesce(m.counted, 0), coalesce(m.exempt, 0), coalesce(
            attendance_attended(m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence), 0
        ),
        clock.begun + clock.ahead - coalesce(m.counted + m.exempt, 0), clock.coming - clock.ahead,
        p.id, p.threshold, p.condonation_floor, p.bar, p.basis, p.version, p.rounding
    FROM enrollment_enrollment e
    LEFT JOIN attendance_attendancesummary m ON m.enrollment_id = e.id
    LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
    LEFT JOIN attendance_attendancepolicy p ON p.id = CASE
        WHEN m.percent IS NULL THEN attendance_policy_of(e.section_id, program.program_id) ELSE m.policy_id
    END
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE s.starts_at <= %(at)s) AS begun,
            count(*) FILTER (WHERE s.starts_at > %(at)s) AS coming,
            count(*) FILTER (
                WHERE s.starts_at > %(at)s AND EXISTS (
                    SELECT FROM attendance_attendancerecord r WHERE {_MARK} AND r.local_date >= %(since)s
                )
            ) AS ahead
        FROM attendance_classsession s
        WHERE s.section_id = e.section_id AND s.status = 'scheduled' AND {_OF_THE_STUDENT}
    ) clock
    WHERE e.id = ANY (%(enrollments)s)
"""  # noqa: S608 # nosec B608 - made of the constants above
# Of so many lates that come to an absence, the last counts nothing.
_UNITS = f"""
    SELECT id, local_date, starts_at, code,
        CASE
            WHEN NOT is_late THEN weight
            WHEN lates_per_absence IS NOT NULL AND late_no %% lates_per_absence = 0 THEN 0.000
            ELSE coalesce(late_weight, weight)
        END,
        counts_as
    FROM (
        SELECT *, counts_as = 'counted' AND code = 'late' AS is_late,
            count(*) FILTER (WHERE counts_as = 'counted' AND code = 'late') OVER (ORDER BY starts_at, id) AS late_no
        FROM (
            SELECT s.id, s.local_date, s.starts_at, c.code, c.weight, p.late_weight, p.lates_per_absence,
                CASE
                    WHEN s.status <> 'scheduled' THEN 'cancelled'
                    WHEN NOT ({_OF_THE_STUDENT}) THEN 'not_enrolled'
                    WHEN c.is_exempt THEN 'exempt'
                    WHEN c.id IS NOT NULL THEN 'counted'
                    WHEN s.starts_at > %(at)s THEN 'to_come'
                    ELSE 'unmarked'
                END AS counts_as
            FROM enrollment_enrollment e
            JOIN attendance_classsession s ON s.section_id = e.section_id
            LEFT JOIN attendance_attendancerecord r ON {_MARK}
            LEFT JOIN attendance_attendancecode c ON c.id = r.code_id
            LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
            LEFT JOIN attendance_attendancesummary m ON m.enrollment_id = e.id
            LEFT JOIN attendance_attendancepolicy p ON p.id = CASE
                WHEN m.percent IS NULL THEN attendance_policy_of(e.section_id, program.program_id) ELSE m.policy_id
            END
            WHERE e.id = ANY (%(enrollments)s)
        ) units
    ) numbered
    ORDER BY starts_at, id
"""  # noqa: S608 # nosec B608 - made of the constants above
# Whoever has left a course is not judged by it along with the others.
_TOGETHER = """
    SELECT other.id FROM enrollment_enrollment e
    JOIN enrollment_enrollment other ON other.student_id = e.student_id AND other.term_id = e.term_id
    WHERE e.id = ANY (%(enrollments)s) AND other.id <> ALL (%(enrollments)s)
        AND other.status IN ('enrolled', 'completed')
"""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a policy asks for; where there is none, what is usual.

    `bar` is what a percentage is compared with, rounding taken into account.
    """

    policy: UUID | None = None
    threshold: Decimal = Decimal(75)
    condonation_floor: Decimal = Decimal(65)
    bar: Decimal = Decimal(75)
    basis: str = Basis.PER_COURSE
    version: int = 0
    rounding: str = Rounding.EXACT

    @property
    def floor_bar(self) -> Decimal:
        """What a percentage is compared with for condonation, rounding taken into account."""
        return bar_of(self.condonation_floor, self.rounding)


def bar_of(percent: Decimal, rounding: str) -> Decimal:
    """Return the least that is so many per cent once it is rounded; the database has the same of the threshold."""
    if rounding == Rounding.WHOLE:
        return percent.to_integral_value(ROUND_CEILING) - HALF
    return percent - HALF_A_HUNDREDTH if rounding == Rounding.HUNDREDTH else percent


USUAL = Rule()


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often somebody was there: `attended` of `counted` classes, apart from those exempt, unmarked and to come.

    `together` is what it is judged by along with the other courses of the term, where the rule says so.
    """

    counted: int = 0
    exempt: int = 0
    attended: Decimal = Decimal(0)
    unmarked: int = 0
    to_come: int = 0
    rule: Rule = field(default=USUAL, compare=False)
    together: "Tally | None" = field(default=None, compare=False)

    def __add__(self, other: "Tally") -> "Tally":
        names = ("counted", "exempt", "attended", "unmarked", "to_come")
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names}, rule=self.rule)

    @property
    def percent(self) -> Decimal | None:
        """Of a hundred, to two places, half up; None while nothing counts."""
        return percent_of(self.attended, self.counted)

    @property
    def threshold(self) -> Decimal:
        """Per cent that are asked for."""
        return self.rule.threshold

    @property
    def judged(self) -> "Tally":
        """What decides: this, or all courses that are taken together."""
        return self.together or self

    @property
    def may_miss(self) -> int:
        """How many of the classes to come may be missed without falling short in the end, if all others are attended.

        None may when that is not to be reached; what is unmarked now is left out.
        """
        all_ = self.judged
        left = all_.attended + all_.to_come - all_.rule.bar / 100 * (all_.counted + all_.to_come)
        return max(0, min(self.to_come, int(left.to_integral_value(ROUND_FLOOR))))

    @property
    def is_short(self) -> bool:
        """Whether the percentage is below what is asked for."""
        all_ = self.judged
        return all_.attended * 100 < all_.rule.bar * all_.counted


@dataclass(frozen=True)
class Unit:
    """One session of the section, and what it comes to for one student."""

    session: UUID
    local_date: date
    starts_at: datetime
    code: str | None
    weight: Decimal | None
    counts_as: str


@dataclass(frozen=True)
class Week:
    """What a student had come to by the end of a week, from its Monday on, all weeks before it included."""

    monday: date
    attended: Decimal
    counted: int

    @property
    def percent(self) -> Decimal | None:
        """Of a hundred, to two places, half up."""
        return percent_of(self.attended, self.counted)


def percent_of(attended: Decimal, counted: Decimal | int) -> Decimal | None:
    """Return how much of what counts was attended, of a hundred and to two places; None of nothing."""
    return (100 * attended / counted).quantize(HUNDREDTH, ROUND_HALF_UP) if counted else None


def tallies(enrollments: Iterable[UUID], *, at: datetime) -> Mapping[UUID, Tally]:
    """Return how often the students of enrolments were there, in one statement however many they are.

    Where courses are judged together, two more find the others.
    """
    ids = list(enrollments)
    found = _sums(ids, at)
    if any(line.is_together for line in found.values()):
        others = _sums([row[0] for row in _ask(_TOGETHER, ids, at)], at)
        sums: dict[Any, Tally] = {}
        for line in (line for line in [*found.values(), *others.values()] if line.is_together):
            sums[line.group] = sums[line.group] + line.tally if line.group in sums else line.tally
        found = {pk: line.judged_with(sums) for pk, line in found.items()}
    return {pk: found[pk].tally if pk in found else Tally() for pk in ids}


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


def trend_of(found: Sequence[Unit]) -> list[Week]:
    """Return how units that are in the order of time added up, by the weeks in which any counted."""
    weeks: dict[date, Week] = {}
    attended, counted = Decimal(0), 0
    for unit in found:
        if unit.counts_as == "counted":
            attended, counted = attended + (unit.weight or 0), counted + 1
            monday = unit.local_date - timedelta(days=unit.local_date.weekday())
            weeks[monday] = Week(monday, attended, counted)
    return list(weeks.values())


@dataclass(frozen=True)
class _Line:
    """What somebody came to in one course, and along with which others it is judged."""

    group: tuple[Any, ...]
    stays: bool
    tally: Tally

    @property
    def is_together(self) -> bool:
        return self.stays and self.tally.rule.basis == Basis.AGGREGATE

    def judged_with(self, sums: Mapping[Any, Tally]) -> "_Line":
        return replace(self, tally=replace(self.tally, together=sums[self.group])) if self.is_together else self


def _sums(ids: list[UUID], at: datetime) -> dict[UUID, _Line]:
    """Return how often the students of enrolments were there."""
    names = ("counted", "exempt", "attended", "unmarked", "to_come")
    asked = ("policy", "threshold", "condonation_floor", "bar", "basis", "version", "rounding")
    found = {}
    for pk, student, term, stays, *numbers in _ask(_SUMS, ids, at) if ids else ():
        rule = USUAL if numbers[5] is None else Rule(**dict(zip(asked, numbers[5:], strict=True)))
        tally = Tally(**dict(zip(names, numbers[:5], strict=True)), rule=rule)
        found[pk] = _Line((student, term, rule.policy), stays, tally)
    return found


def _ask(statement: str, enrollments: list[UUID], at: datetime) -> list[tuple[Any, ...]]:
    parameters = {"enrollments": enrollments, "at": at, "since": (at - ONE_DAY).date()}
    with prepared(statement, parameters, using=DEFAULT_DB_ALIAS) as cursor:
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
