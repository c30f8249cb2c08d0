"""What changes what students can be marked with."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction

from attendance.models import AttendanceCode, AttendanceRecord, CoveredMark
from core import crud
from core.errors import ConflictError, InUseError
from core.visibility import Actor

# What is not to be changed of the codes that are there at first: policies, excuses and arrivals go by their names, and
# all but `absent` are what is marked without anybody choosing it.
BUILT_IN = ("present", "absent", "late", "excused", "on_duty")
MARKED_UNASKED = ("present", "late", "excused", "on_duty")
# What decides about percentages that people have been told.
COUNTING = ("code", "weight", "is_exempt")


class AttendanceCodeValues(TypedDict, total=False):
    code: str
    label: str
    weight: Decimal
    is_exempt: bool
    is_active: bool
    takes_minutes: bool
    late_from: int | None
    order: int


class CodeInUseError(InUseError):
    """Students were marked with the code, and what they were told of their attendance would be another thing."""

    title = "Students were marked with this code: it can be put out of use, and another one made."


class CodeBuiltInError(ConflictError):
    """Policies, excuses, readers and check-ins go by the code."""

    code = "code_built_in"
    title = "This code is one that the rules go by: it keeps its name, and stays in use if machines mark with it."


def create_code(*, by: Actor | None, **values: Unpack[AttendanceCodeValues]) -> AttendanceCode:
    """Add a code.

    Refused with `code_taken`, `weight_out_of_range`, `exempt_with_weight`, `late_from_taken` or
    `late_from_without_minutes`.
    """
    return crud.create(AttendanceCode, values)


@transaction.atomic
def update_code(row: AttendanceCode, *, by: Actor | None, **changes: Unpack[AttendanceCodeValues]) -> AttendanceCode:
    """Change a code; what it counts stays, with `in_use`, once somebody was marked with it.

    Of the codes that are there at first the name stays, with `code_built_in`, and what is marked without anybody
    choosing it stays usable.
    """
    given: dict[str, Any] = dict(changes)
    spoilt = [name for name in _built_in(row) if name in given and given[name] != getattr(row, name)]
    if spoilt:
        raise CodeBuiltInError(field=spoilt[0])
    counting = [name for name in COUNTING if name in given and given[name] != getattr(row, name)]
    if counting and _is_used(_held(row)):
        raise CodeInUseError(field=counting[0])
    return crud.update(row, changes)


def delete_code(code: AttendanceCode, *, by: Actor | None) -> None:
    """Delete a code that nobody was marked with; refused with `in_use` otherwise, or with `code_built_in`."""
    if code.code in BUILT_IN:
        raise CodeBuiltInError
    if _is_used(code):
        raise CodeInUseError
    crud.delete(code)


def _built_in(code: AttendanceCode) -> Iterator[str]:
    """Yield what is not to be changed of a code, as the database has it too."""
    if code.code in BUILT_IN:
        yield "code"
    if code.code in MARKED_UNASKED and code.is_active:
        yield "is_active"
    if code.code == "late" and code.takes_minutes:
        yield "takes_minutes"


def _held(code: AttendanceCode) -> AttendanceCode:
    """Return the code once nobody is marking with it any more; whoever is going to waits for the transaction's end."""
    return AttendanceCode.objects.select_for_update().get(pk=code.pk)


def _is_used(code: AttendanceCode) -> bool:
    marks = AttendanceRecord.objects.filter(code=code)
    return marks.exists() or CoveredMark.objects.filter(code=code).exists()
