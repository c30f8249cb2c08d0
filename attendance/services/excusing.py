"""What is asked for and decided about excuses, and what becomes of the marks that they cover.

An approved excuse covers the sessions that overlap its period: at once those that have begun or are being marked, the
others when somebody opens or marks them. What it covers is kept beneath, and comes back when it is revoked.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from attendance.events import ExcuseApproved, ExcuseDecided, ExcuseRejected, ExcuseRevoked
from attendance.models import ExcuseEvent, ExcuseKind, ExcuseRequest, ExcuseStatus
from attendance.models.excuses import CODE_OF
from attendance.services import covering, sheets
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from students.models import Student

TRANSITIONS: dict[str, set[str]] = {
    ExcuseStatus.SUBMITTED: {ExcuseStatus.APPROVED, ExcuseStatus.REJECTED},
    ExcuseStatus.APPROVED: {ExcuseStatus.REVOKED},
    ExcuseStatus.REJECTED: set(),
    ExcuseStatus.REVOKED: set(),
}


class ExcuseValues(TypedDict, total=False):
    kind: str
    starts_at: datetime
    ends_at: datetime
    statement: str
    custom_fields: dict[str, Any]


class NewExcuseValues(ExcuseValues, total=False):
    student: Student


class ExcuseTransitionError(ConflictError):
    """What was decided about an excuse does not allow this step."""

    code = "excuse_transition"
    title = "The excuse cannot take this step."
    field = "status"


class ExcuseDecidedError(ConflictError):
    """Somebody has decided about what the request said; something else is another request."""

    code = "excuse_decided"
    title = "Somebody has decided about this excuse; it is not changed any more."
    field = "status"


class ExcuseEndsBeforeStartError(InvalidError):
    """The excuse would end before it begins."""

    code = "ends_before_start"
    title = "An excuse ends after it begins."
    field = "ends_at"


class OwnExcuseError(ForbiddenError):
    """Whoever asked for it, or is to be excused by it, would decide."""

    code = "self_approval"
    title = "Nobody decides about an excuse that they asked for, or that is their own."


class ExcuseCodeMissingError(ConflictError):
    """Nobody can be marked as excused, since there is no such code any more."""

    code = "excuse_code_missing"
    title = "There is no attendance code with which an excuse of this kind marks students."
    field = "kind"


STEPS = Steps("An excuse that is", TRANSITIONS, ExcuseTransitionError, ExcuseEvent, "excuse")


@transaction.atomic
def request_excuse(*, by: Actor | None, at: datetime, **values: Unpack[NewExcuseValues]) -> ExcuseRequest:
    """Ask for a student to be excused; refused with `ends_before_start` or `excuse_too_long`."""
    excuse = crud.create(ExcuseRequest, {**_with_period(values, None), "requested_by": by}, by=by)
    STEPS.record(excuse, "", by=by, at=at)
    return excuse


def update_excuse(excuse: ExcuseRequest, *, by: Actor | None, **changes: Unpack[ExcuseValues]) -> ExcuseRequest:
    """Change what is asked for, or bring a document; refused with `excuse_decided` once somebody has decided."""
    if excuse.status != ExcuseStatus.SUBMITTED:
        raise ExcuseDecidedError
    return crud.update(excuse, _with_period(changes, excuse.period), by=by)


@transaction.atomic
def approve_excuse(excuse: ExcuseRequest, *, by: Actor | None, at: datetime, reason: str = "") -> ExcuseRequest:
    """Excuse the student, and mark them so in the sessions that overlap the period and have begun.

    An approved one stays as it is. Refused with `self_approval`, `excuse_transition`, `excuse_overlap`,
    `excuse_code_missing`, and with `session_locked`, which names the sheets that are final.
    """
    if excuse.status == ExcuseStatus.APPROVED:
        return excuse
    _require_another(excuse, by)
    codes = sheets.codes_by_name()
    if CODE_OF[ExcuseKind(excuse.kind)] not in codes:
        raise ExcuseCodeMissingError
    STEPS.take(excuse, ExcuseStatus.APPROVED, by=by, at=at, reason=reason, decided_by=by)
    _announce(ExcuseApproved, excuse, covering.cover(excuse, codes, at=at), at)
    return excuse


@transaction.atomic
def reject_excuse(excuse: ExcuseRequest, *, by: Actor | None, at: datetime, reason: str = "") -> ExcuseRequest:
    """Do not excuse the student; refused with `self_approval` or `excuse_transition`."""
    if excuse.status == ExcuseStatus.REJECTED:
        return excuse
    _require_another(excuse, by)
    STEPS.take(excuse, ExcuseStatus.REJECTED, by=by, at=at, reason=reason, decided_by=by)
    _announce(ExcuseRejected, excuse, 0, at)
    return excuse


@transaction.atomic
def revoke_excuse(excuse: ExcuseRequest, *, by: Actor | None, at: datetime, reason: str = "") -> ExcuseRequest:
    """Take an approval back, and let every mark be as it would be without the excuse.

    That is what was there before, or what somebody has marked since; where another excuse overlaps the session, the
    student stays excused by that one. Refused with `self_approval`, `excuse_transition` or `session_locked`.
    """
    if excuse.status == ExcuseStatus.REVOKED:
        return excuse
    _require_another(excuse, by)
    STEPS.take(excuse, ExcuseStatus.REVOKED, by=by, at=at, reason=reason, decided_by=by)
    _announce(ExcuseRevoked, excuse, covering.uncover(excuse, at=at), at)
    return excuse


def _require_another(excuse: ExcuseRequest, by: Actor | None) -> None:
    may_not_be_same(by, OwnExcuseError, accounts=[excuse.requested_by_id], people=[excuse.student.person_id])


def _announce(event: type[ExcuseDecided], excuse: ExcuseRequest, sessions: int, at: datetime) -> None:
    publish(event(excuse_id=excuse.pk, student_id=excuse.student_id, sessions=sessions, happened_at=at))


def _with_period(values: Mapping[str, Any], present: DateTimeTZRange | None) -> dict[str, Any]:
    """Replace the two instants of an excuse by the range that the database compares."""
    fields = dict(values)
    start = fields.pop("starts_at", present.lower if present else None)
    end = fields.pop("ends_at", present.upper if present else None)
    if start is None or end is None:
        return fields
    if end <= start:
        raise ExcuseEndsBeforeStartError
    return {**fields, "period": DateTimeTZRange(start, end, "[)")}
