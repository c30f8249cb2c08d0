"""What says by which rule attendance is judged, and from which day on."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q

from attendance.models import AttendancePolicy, AttendanceSummary
from core import crud
from core.db.locks import lock_named
from core.errors import InUseError, InvalidError
from core.visibility import Actor
from courses.models import Course, Section
from departments.models import Department, Program, Term
from departments.selectors import below
from students.selectors import in_programs


class AttendancePolicyValues(TypedDict, total=False):
    department: Department | None
    program: Program | None
    course: Course | None
    section: Section | None
    starts_on: date | None
    ends_on: date | None
    threshold: Decimal
    condonation_floor: Decimal
    basis: str
    rounding: str
    late_after: int | None
    late_weight: Decimal | None
    lates_per_absence: int | None
    lock_after: int | None
    alert_after: int


# When it is in force, which is asked for by itself, what decides who is told alone, and what concerns arrivals and
# sheets to come.
JUDGES_NOBODY = ("valid", "alert_after", "late_after", "lock_after")


class PolicyInUseError(InUseError):
    """Students were marked in a term that the change would judge otherwise than they have been told."""

    code = "policy_in_use"
    title = (
        "Students were marked in a term that this would judge by another rule; a version for later terms can be made."
    )
    field = "starts_on"


class PolicyEndsBeforeStartError(InvalidError):
    """The version would end before it begins."""

    code = "ends_before_start"
    title = "A version ends after it begins."
    field = "ends_on"


@transaction.atomic
def create_policy(*, by: Actor | None, **values: Unpack[AttendancePolicyValues]) -> AttendancePolicy:
    """Add a version; refused with `effective_overlap`, `several_scopes`, `floor_above_threshold` or `policy_in_use`.

    Without a first day it has always been in force, and without a last one it stays so.
    """
    _alone()
    policy = crud.create(AttendancePolicy, _with_span(dict(values), None))
    _require_unjudged(policy, [policy.valid])
    return policy


@transaction.atomic
def update_policy(
    policy: AttendancePolicy, *, by: Actor | None, **changes: Unpack[AttendancePolicyValues]
) -> AttendancePolicy:
    """Change a version, or the days on which it is in force; what has judged anybody stays, with `policy_in_use`."""
    _alone()
    before = policy.valid
    given = _with_span(dict(changes), before)
    asks = any(getattr(policy, name) != value for name, value in given.items() if name not in JUDGES_NOBODY)
    if asks:
        _require_unjudged(policy, [before])
    changed = crud.update(policy, given)
    after = changed.valid
    _require_unjudged(changed, [after] if asks else [], but_for=None if asks else (before, after))
    return changed


@transaction.atomic
def delete_policy(policy: AttendancePolicy, *, by: Actor | None) -> None:
    """Delete a version that has judged nobody; refused with `policy_in_use` otherwise."""
    _alone()
    _require_unjudged(policy, [policy.valid])
    crud.delete(policy)


def _alone() -> None:
    """Let nobody else change policies meanwhile; whoever marks does not wait."""
    lock_named("attendance.policies", "all")


def _with_span(values: dict[str, Any], present: DateRange | None) -> dict[str, Any]:
    """Replace the two days of a version by the range that the database compares."""
    if present is not None and not {"starts_on", "ends_on"} & values.keys():
        return values
    start = values.pop("starts_on", present.lower if present else None)
    end = values.pop("ends_on", present.upper if present else None)
    if start is not None and end is not None and end <= start:
        raise PolicyEndsBeforeStartError
    return {**values, "valid": DateRange(start, end, "[)")}


def _require_unjudged(
    policy: AttendancePolicy, spans: Iterable[DateRange], *, but_for: tuple[DateRange, DateRange] | None = None
) -> None:
    """Refuse while anybody is marked, in the scope, in a term that begins in the spans or in one of two alone."""
    terms = Q(pk=None)
    for span in spans:
        terms |= _begins_in(span)
    if but_for is not None:
        before, after = map(_begins_in, but_for)
        terms |= (before & ~after) | (after & ~before)
    found = Term.objects.filter(terms).values("pk")
    # Of what marks come to, one row for each enrolment: of the marks, every month would be looked into.
    judged = AttendanceSummary.objects.filter(_within(policy), enrollment__term__in=found).exclude(counted=0, exempt=0)
    if judged.exists():
        raise PolicyInUseError


def _begins_in(span: DateRange) -> Q:
    first = Q(starts_on__gte=span.lower) if span.lower else ~Q(pk=None)
    return first & Q(starts_on__lt=span.upper) if span.upper else first


def _within(policy: AttendancePolicy) -> Q:
    if policy.section_id:
        return Q(section=policy.section_id)
    if policy.course_id:
        return Q(enrollment__course=policy.course_id)
    if policy.program_id:
        return in_programs([policy.program_id], path="enrollment__student")
    if policy.department_id:
        return Q(enrollment__course__in=Course.objects.filter(below([policy.department_id])).values("pk"))
    return Q()
