"""What changes departments, their offices and programs."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.assignments import scopes_of
from accounts.models import Person
from accounts.roles import ScopeKind
from accounts.selectors import require_unassigned
from core import crud
from core.duties import may_not_be_same
from core.errors import ForbiddenError, InvalidError, OutOfScopeError
from core.visibility import Actor, visible
from departments.models import Appointment, Department, Program

# Names the lock under which the database changes the tree.
TREE = "departments_department_tree"


class DepartmentValues(TypedDict, total=False):
    code: str
    name: str
    kind: str
    parent: Department | None
    is_active: bool
    custom_fields: dict[str, Any]


class AppointmentValues(TypedDict, total=False):
    department: Department
    person: Person
    role: str
    starts_on: date
    ends_on: date | None


class ProgramValues(TypedDict, total=False):
    code: str
    name: str
    level: str
    department: Department
    total_credits: Decimal
    is_active: bool


class EndsBeforeStartError(InvalidError):
    """The appointment would end before it begins."""

    code = "ends_before_start"
    title = "An appointment ends after it begins."
    field = "ends_on"


class OwnOfficeError(ForbiddenError):
    """Who holds an office, and for how long, is for somebody else to decide."""

    code = "self_approval"
    title = "Nobody decides about their own office."


def create_department(*, by: Actor | None, **values: Unpack[DepartmentValues]) -> Department:
    """Add a department to the tree; refused with `code_taken`."""
    return crud.create(Department, values, by=by)


def update_department(department: Department, *, by: Actor | None, **changes: Unpack[DepartmentValues]) -> Department:
    """Change a department, or move it; refused with `department_cycle` when it would lie below itself.

    Whoever moves it manages the place it goes to: refused with `out_of_scope` otherwise.
    """
    if "parent" in changes and changes["parent"] != department.parent:
        _require_place(changes["parent"], by)
    return crud.update(department, changes, by=by)


def lock_subtrees(ids: Iterable[UUID]) -> None:
    """Lock departments and all below them, in the order of their ids, and the tree before them.

    Moving a department writes all that lies below it, under a lock of the whole tree that the database takes.
    """
    roots = list(ids)
    if roots:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TREE])
        below = Department.objects.filter(lineage__overlap=roots).order_by("pk")
        list(below.select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def delete_department(department: Department, *, by: Actor | None) -> None:
    """Delete a department nothing refers to and no role is held in; refused with `in_use` otherwise."""
    require_unassigned(ScopeKind.DEPARTMENT, [department.pk])
    crud.delete(department)


def appoint(*, by: Actor | None, **values: Unpack[AppointmentValues]) -> Appointment:
    """Give a person an office; refused with `overlapping_appointment` when it is not vacant then.

    Refused with `self_approval` to that person, who does not change or end it, either.
    """
    may_not_be_same(by, OwnOfficeError, people=[values["person"].pk])
    return crud.create(Appointment, _with_span(dict(values), None))


def update_appointment(
    appointment: Appointment, *, by: Actor | None, **changes: Unpack[AppointmentValues]
) -> Appointment:
    """Change an appointment or its days; refused with `self_approval` to whoever has the office, or would have it."""
    after = changes["person"].pk if "person" in changes else None
    may_not_be_same(by, OwnOfficeError, people=[appointment.person_id, after])
    return crud.update(appointment, _with_span(dict(changes), appointment.valid))


def end_appointment(appointment: Appointment, *, by: Actor | None) -> None:
    """Vacate the office from today; one that has not begun is deleted, a past one stays as it was.

    Refused with `self_approval` to whoever has it.
    """
    may_not_be_same(by, OwnOfficeError, people=[appointment.person_id])
    today = timezone.localdate()
    if appointment.valid.lower and appointment.valid.lower >= today:
        crud.delete(appointment)
    elif appointment.valid.upper is None or appointment.valid.upper > today:
        crud.update(appointment, {"valid": DateRange(appointment.valid.lower, today, "[)")})


def create_program(*, by: Actor | None, **values: Unpack[ProgramValues]) -> Program:
    """Add a program to a department's offer."""
    return crud.create(Program, values)


def update_program(program: Program, *, by: Actor | None, **changes: Unpack[ProgramValues]) -> Program:
    """Change a program."""
    return crud.update(program, changes)


@transaction.atomic
def delete_program(program: Program, *, by: Actor | None) -> None:
    """Delete a program nobody has enrolled in and no role is held in; refused with `in_use` otherwise."""
    require_unassigned(ScopeKind.PROGRAM, [program.pk])
    crud.delete(program)


def _require_place(parent: Department | None, by: Actor | None) -> None:
    """Refuse a place in the tree that the actor does not manage; the top is the institution's."""
    if by is None or scopes_of(by, "departments.change_department").everywhere:
        return
    if parent is None or not visible(Department.objects.filter(pk=parent.pk), by, to="manage").exists():
        raise OutOfScopeError


def _with_span(values: dict[str, Any], present: DateRange | None) -> dict[str, Any]:
    """Replace the two days of an appointment by the range that the database compares."""
    if not {"starts_on", "ends_on"} & values.keys() and present is not None:
        return values
    start = values.pop("starts_on", None) or (present.lower if present else timezone.localdate())
    end = values.pop("ends_on", present.upper if present else None)
    if end is not None and end <= start:
        raise EndsBeforeStartError
    return {**values, "valid": DateRange(start, end, "[)")}
