"""What is marked by hand of those codes that excuses mark with.

Somebody is excused or away on duty because an excuse says so that was approved. Whoever marks says so only of whom one
covers; of others those do who may decide about their excuses, since it comes to the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from attendance.models import AttendanceCode
from attendance.models.excuses import CODE_OF, ExcuseKind
from attendance.services import sheets
from core.errors import DomainError, ForbiddenError
from core.visibility import Actor
from students.models import Student
from students.selectors import for_whom

DECIDE = "attendance.decide_excuserequest"
OF_EXCUSES = frozenset(CODE_OF.values())

Codes = Mapping[str, AttendanceCode]


class ExcuseRequiredError(ForbiddenError):
    """Somebody would be excused by hand whom no approved excuse covers."""

    code = "excuse_required"
    title = "This is marked of those whom an approved excuse covers, or by whoever may decide about their excuses."


class Said(NamedTuple):
    """What is said of somebody on a sheet, and where in the request."""

    field: str
    line: sheets.Line
    code: str


def unbacked(said: Iterable[Said], codes: Codes, by: Actor | None) -> Iterator[DomainError]:
    """Refuse, once a place, that somebody is excused by hand without any right to it; one statement, where any is."""
    asked = [each for each in said if needs_excuse(each.line, each.code, codes)]
    may = excusable({each.line.student for each in asked}, by)
    refused: dict[str, set[str]] = {}
    for each in asked:
        if each.line.student not in may:
            refused.setdefault(each.field, set()).add(str(each.line.student))
    for field, students in refused.items():
        yield ExcuseRequiredError(field=field, meta={"students": sorted(students)})


def needs_excuse(line: sheets.Line, code: str, codes: Codes) -> bool:
    """Say whether a mark takes an excuse that there is not: to say again what somebody is marked with takes none."""
    is_backed = line.kind is not None and CODE_OF[ExcuseKind(line.kind)] == code
    return code in OF_EXCUSES and code in codes and not is_backed and line.own.code != codes[code].pk


def excusable(students: Collection[UUID], by: Actor | None) -> set[UUID]:
    """Return those of the students about whose excuses somebody may decide."""
    if by is None or not students:
        return set(students)
    theirs = for_whom(by, DECIDE, advisees=False)
    return (
        set() if theirs is None else set(Student.objects.filter(theirs, pk__in=students).values_list("pk", flat=True))
    )
