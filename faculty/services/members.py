"""Everything that changes faculty, their posts and their standing."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Unpack

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Person
from accounts.services import PersonValues
from accounts.services.parts import create_part, delete_part, update_part
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from departments.models import Department
from faculty.events import FacultyAppointed, FacultyCreated, FacultyStatusChanged
from faculty.models import GONE, Faculty, FacultyAppointment, FacultyStatusEvent
from faculty.models import FacultyStatus as Status
from faculty.refusals import EmployeeNoImmutableError

TRANSITIONS: Mapping[str, Collection[str]] = {
    Status.ACTIVE: {Status.ON_LEAVE, Status.SUSPENDED, Status.RETIRED, Status.DEPARTED},
    Status.ON_LEAVE: {Status.ACTIVE, Status.RETIRED, Status.DEPARTED},
    Status.SUSPENDED: {Status.ACTIVE, Status.RETIRED, Status.DEPARTED},
    Status.RETIRED: {Status.ACTIVE},
    Status.DEPARTED: {Status.ACTIVE},
}


class FacultyValues(PersonValues, total=False):
    """`appointed_on` is the first day of the rank and department; today unless given."""

    employee_no: str
    rank: str
    employment_type: str
    department: Department
    status: str
    fte: Decimal
    salary: Decimal | None
    appointed_on: date | None
    custom_fields: dict[str, Any]


class NewFacultyValues(FacultyValues, total=False):
    person: Person


class TransitionError(ConflictError):
    """The member of faculty cannot go from their status to the one asked for."""

    code = "illegal_transition"
    title = "The member of faculty cannot move to this status."
    field = "status"


STEPS = Steps("A member of faculty who is", TRANSITIONS, TransitionError, FacultyStatusEvent, "faculty")


class EndsBeforeStartError(InvalidError):
    """A post would end before it began."""

    code = "ends_before_start"
    title = "A post ends after it begins."
    field = "appointed_on"


class NoNewPostError(InvalidError):
    """The first day of a post is given, and no post begins."""

    code = "no_new_post"
    title = "The day of an appointment goes with another rank or department."
    field = "appointed_on"


class OwnPostError(ForbiddenError):
    """Nobody settles their own rank, load, pay, department or standing."""

    code = "self_approval"
    title = "Nobody changes their own post."


# What somebody else decides about a member of faculty, by the names that the service for one takes.
DECIDED_BY_OTHERS = frozenset({"rank", "employment_type", "department", "fte", "salary", "status", "appointed_on"})


@transaction.atomic
def create_faculty(*, by: Actor | None, **values: Unpack[NewFacultyValues]) -> Faculty:
    """Record a member of faculty, the person they are and their first post.

    Refused with `employee_no_taken`, with `already_faculty` when `person` is one, or with `self_approval` when it is
    whoever acts.
    """
    own: dict[str, Any] = dict(values)
    if (person := values.get("person")) is not None:
        may_not_be_same(by, OwnPostError, people=[person.pk])
    start = own.pop("appointed_on", None) or timezone.localdate()
    own.setdefault("employee_no", "")
    faculty = create_part(Faculty, own, by=by)
    publish(FacultyCreated(faculty_id=faculty.pk, person_id=faculty.person_id, employee_no=faculty.employee_no))
    if faculty.status not in GONE:
        _appoint(faculty, start, by=by)
    return faculty


@transaction.atomic
def update_faculty(faculty: Faculty, *, by: Actor | None, **changes: Unpack[FacultyValues]) -> Faculty:
    """Change a member of faculty; refused with `employee_no_immutable` for another number.

    Another rank or department begins another post; another status is moved to as by `change_status`.
    Refused with `no_new_post` when a first day is given without either, and with `self_approval` when somebody would
    change their own post.
    """
    own: dict[str, Any] = dict(changes)
    if any(name in DECIDED_BY_OTHERS and getattr(faculty, name, None) != value for name, value in own.items()):
        _refuse_oneself(faculty, by)
    if own.pop("employee_no", faculty.employee_no) != faculty.employee_no:
        raise EmployeeNoImmutableError
    appointed_on = own.pop("appointed_on", None)
    start = appointed_on or timezone.localdate()
    status = own.pop("status", faculty.status)
    post = faculty.rank, faculty.department_id
    update_part(faculty, faculty.person, own, by=by)
    has_moved = (faculty.rank, faculty.department_id) != post and faculty.status not in GONE
    if appointed_on is not None and not has_moved:
        raise NoNewPostError
    if has_moved:
        _end_post(faculty, post[1], start, by=by)
        _appoint(faculty, start, by=by)
    if status != faculty.status:
        change_status(faculty, status=status, by=by, at=timezone.now())
    return faculty


@transaction.atomic
def change_status(faculty: Faculty, *, status: str, by: Actor | None, at: datetime, reason: str = "") -> Faculty:
    """Move a member of faculty to another status and announce it; refused with `illegal_transition`.

    Whoever goes holds no post from that day on; whoever comes back holds the last one anew.
    """
    _refuse_oneself(faculty, by)
    before = STEPS.take(faculty, status, by=by, at=at, reason=reason)
    day = timezone.localdate(at)
    if status in GONE:
        for appointment in faculty.appointments.lasting():
            _end(appointment, day, by=by)
    elif before in GONE:
        _appoint(faculty, day, by=by)
    publish(FacultyStatusChanged(faculty_id=faculty.pk, from_status=before, to_status=status, happened_at=at))
    return faculty


@transaction.atomic
def delete_faculty(faculty: Faculty, *, by: Actor | None) -> None:
    """Delete a member of faculty who was recorded by mistake, with the person unless they have another part.

    Refused with `in_use` when anything but their first post is on record.
    """
    posts = faculty.appointments.all()[:2]
    if len(posts) == 1:
        crud.delete(posts[0])
    delete_part(faculty, faculty.person, by=by)


def _refuse_oneself(faculty: Faculty, by: Actor | None) -> None:
    may_not_be_same(by, OwnPostError, people=[faculty.person_id])


def _appoint(faculty: Faculty, start: date, *, by: Actor | None) -> None:
    """Begin a post of the present rank in the present department."""
    post = {"faculty": faculty, "department": faculty.department, "rank": faculty.rank}
    crud.create(FacultyAppointment, {**post, "valid": DateRange(start, None, "[)")}, by=by)
    publish(
        FacultyAppointed(faculty_id=faculty.pk, department_id=faculty.department_id, rank=faculty.rank, starts_on=start)
    )


def _end_post(faculty: Faculty, department_id: Any, end: date, *, by: Actor | None) -> None:
    """End the lasting post in a department; refused with `ends_before_start` on a day before its first."""
    for appointment in faculty.appointments.lasting().filter(department=department_id):
        if appointment.valid.lower > end:
            raise EndsBeforeStartError
        _end(appointment, end, by=by)


def _end(appointment: FacultyAppointment, end: date, *, by: Actor | None) -> None:
    """End a post; one that would not have lasted a day was none."""
    if appointment.valid.lower >= end:
        crud.delete(appointment)
    else:
        crud.update(appointment, {"valid": DateRange(appointment.valid.lower, end, "[)")}, by=by)
