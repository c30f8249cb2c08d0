"""Asking somebody to teach one class in the place of its teacher, and what comes of it.

A proposal changes nothing until it is accepted. Then, in one transaction, the substitute is wanted at the class and
the teacher no longer: the exclusion constraint of the reservations decides whether the substitute is free. Whoever
answers, withdraws or revokes holds the name of the gathering first (`lock_gatherings`), then the proposal, then the
session.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from attendance.events import (
    SubstitutionAccepted,
    SubstitutionDeclined,
    SubstitutionExpired,
    SubstitutionProposed,
    SubstitutionRevoked,
    SubstitutionStep,
    SubstitutionWithdrawn,
)
from attendance.models import (
    ClassSession,
    Marking,
    SessionStatus,
    Substitution,
    SubstitutionEvent,
    SubstitutionStatus,
)
from attendance.services.changing import SessionCancelledError, lock_gatherings
from attendance.services.marking import SessionLockedError
from attendance.services.standing_in import InstructorNotTeachingError, instructors_of, settle, unfit, usual
from core import crud
from core.errors import ConflictError, DomainError, ForbiddenError, OutOfScopeError, raise_all
from core.events import publish
from core.steps import Steps
from core.visibility import Actor, visible
from faculty.models import Faculty

BATCH = 500
TRANSITIONS: dict[str, set[str]] = {
    SubstitutionStatus.PROPOSED: {
        SubstitutionStatus.ACCEPTED, SubstitutionStatus.DECLINED, SubstitutionStatus.WITHDRAWN,
        SubstitutionStatus.EXPIRED,
    },
    SubstitutionStatus.ACCEPTED: {SubstitutionStatus.REVOKED},
    SubstitutionStatus.DECLINED: set(),
    SubstitutionStatus.WITHDRAWN: set(),
    SubstitutionStatus.EXPIRED: set(),
    SubstitutionStatus.REVOKED: set(),
}  # fmt: skip


class SubstitutionTransitionError(ConflictError):
    """What has become of the proposal does not allow this step."""

    code = "substitution_transition"
    title = "The substitution cannot take this step."
    field = "status"


class SubstitutionExpiredError(ConflictError):
    """The class has begun, and nobody had answered."""

    code = "substitution_expired"
    title = "The class has begun: the proposal has expired."
    field = "status"


class SessionBegunError(ConflictError):
    """Who teaches a class is settled when it begins."""

    code = "session_begun"
    title = "The session has begun."
    field = "starts_at"


class NotSubstituteError(ForbiddenError):
    """Whoever is asked answers, and nobody for them."""

    code = "not_the_substitute"
    title = "Only whoever was asked to substitute answers."


STEPS = Steps("A substitution that is", TRANSITIONS, SubstitutionTransitionError, SubstitutionEvent, "substitution")


@transaction.atomic
def propose_substitution(
    *,
    session: ClassSession,
    substitute: Faculty,
    reason: str,
    by: Actor | None,
    at: datetime,
    instructor: Faculty | None = None,
) -> Substitution:
    """Ask somebody to teach a session, in the place of `by` if they teach it, else of its primary instructor.

    Teachers ask for themselves, those who may move the session for any of its teachers. Refused with `out_of_scope`,
    `session_without_teacher` and `instructor_not_teaching`; with everything at once of `session_cancelled`,
    `session_begun`, `session_locked`, `session_substituted`, `substitute_teaches`, `substitute_not_active` and
    `substitute_enrolled`; and with `substitution_open`.
    """
    session = _locked(session)
    teachers = instructors_of(session)
    replaced = instructor or usual(teachers, by)
    _require_charge(session, replaced, by, teaches=any(row.faculty_id == replaced.pk for row in teachers))
    raise_all([*_obstacles(session, at), *unfit(session, replaced, substitute, teachers)])
    values = {
        "session": session, "instructor": replaced, "substitute": substitute, "reason": reason, "proposed_by": by,
    }  # fmt: skip
    substitution = crud.create(Substitution, values, by=by)
    STEPS.record(substitution, "", by=by, at=at, reason=reason)
    _announce(SubstitutionProposed, substitution, session, at)
    return substitution


@transaction.atomic
def accept_substitution(
    substitution: Substitution, *, by: Actor | None, at: datetime, reason: str = ""
) -> Substitution:
    """Teach the session; of what was accepted nothing changes.

    Refused with `not_the_substitute`, `substitution_expired`, `substitution_transition`; with everything at once that
    proposing is refused with; and with `person_conflict`, which names both classes.
    """
    _require_asked(substitution, by)
    if substitution.status == SubstitutionStatus.ACCEPTED:
        return substitution
    lock_gatherings([substitution.session.gathering])
    session = _locked(substitution.session)
    _require_lasting(substitution, session, at)
    instructor, substitute = substitution.instructor, substitution.substitute
    STEPS.take(substitution, SubstitutionStatus.ACCEPTED, by=by, at=at, reason=reason)
    raise_all([*_obstacles(session, at), *unfit(session, instructor, substitute, instructors_of(session))])
    crud.update(session, {"substitute": substitute})
    settle(session, [substitute, instructor], at=at)
    _announce(SubstitutionAccepted, substitution, session, at)
    return substitution


@transaction.atomic
def decline_substitution(substitution: Substitution, *, by: Actor | None, at: datetime, reason: str) -> Substitution:
    """Do not teach the session; refused with `not_the_substitute`, `substitution_expired`, `substitution_transition`.

    Of what was declined nothing changes.
    """
    _require_asked(substitution, by)
    return _end(substitution, SubstitutionStatus.DECLINED, SubstitutionDeclined, by=by, at=at, reason=reason)


@transaction.atomic
def withdraw_substitution(
    substitution: Substitution, *, by: Actor | None, at: datetime, reason: str = ""
) -> Substitution:
    """Ask no longer; refused with `substitution_expired` or `substitution_transition`.

    Of what was withdrawn nothing changes.
    """
    return _end(substitution, SubstitutionStatus.WITHDRAWN, SubstitutionWithdrawn, by=by, at=at, reason=reason)


@transaction.atomic
def revoke_substitution(substitution: Substitution, *, by: Actor | None, at: datetime, reason: str) -> Substitution:
    """Let the teacher teach after all, before the class begins; of what was revoked nothing changes.

    Refused with `substitution_transition`, `session_begun`, `session_cancelled`, `session_locked`, and with
    `person_conflict`, which names both classes, where the teacher is wanted elsewhere by now.
    """
    if substitution.status == SubstitutionStatus.REVOKED:
        return substitution
    lock_gatherings([substitution.session.gathering])
    session = _locked(substitution.session)
    STEPS.take(substitution, SubstitutionStatus.REVOKED, by=by, at=at, reason=reason)
    raise_all(list(_obstacles(session, at)))
    crud.update(session, {"substitute": None})
    settle(session, [substitution.instructor, substitution.substitute], at=at, as_before=True)
    _announce(SubstitutionRevoked, substitution, session, at)
    return substitution


def expire_substitutions(*, at: datetime) -> int:
    """Let proposals end whose class has begun or does not take place; return how many there were."""
    count = 0
    while found := _expire_some(at):
        count += found
    return count


@transaction.atomic
def _expire_some(at: datetime) -> int:
    over = Q(session__starts_at__lte=at) | Q(session__status=SessionStatus.CANCELLED)
    # Whoever answers meanwhile has the row locked, and is told that it is too late.
    rows = Substitution.objects.filter(over, status=SubstitutionStatus.PROPOSED).select_related("session")
    found = list(rows.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH])
    for row in found:
        STEPS.take(row, SubstitutionStatus.EXPIRED, by=None, at=at)
        _announce(SubstitutionExpired, row, row.session, at)
    return len(found)


def _locked(session: ClassSession) -> ClassSession:
    """Return the session as it is now, which nobody else changes before this transaction ends."""
    rows = ClassSession.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("section").get(pk=session.pk)


def _require_charge(session: ClassSession, instructor: Faculty, by: Actor | None, *, teaches: bool) -> None:
    """Refuse before anything is said of the substitute, who may sit in the section."""
    if not teaches:
        raise InstructorNotTeachingError
    if by is None or getattr(by, "person_id", None) == instructor.person_id:
        return
    if not visible(ClassSession.objects.filter(pk=session.pk), by, to="manage").exists():
        raise OutOfScopeError


def _require_asked(substitution: Substitution, by: Actor | None) -> None:
    if by is not None and getattr(by, "person_id", None) != substitution.substitute.person_id:
        raise NotSubstituteError


def _require_lasting(substitution: Substitution, session: ClassSession, at: datetime) -> None:
    is_over = substitution.status == SubstitutionStatus.PROPOSED and session.starts_at <= at
    if is_over or substitution.status == SubstitutionStatus.EXPIRED:
        raise SubstitutionExpiredError(meta={"starts_at": session.starts_at.isoformat()})


def _obstacles(session: ClassSession, at: datetime) -> Iterator[DomainError]:
    """Say why who teaches the session is settled."""
    if session.status == SessionStatus.CANCELLED:
        yield SessionCancelledError()
    if session.starts_at <= at:
        yield SessionBegunError(meta={"starts_at": session.starts_at.isoformat()})
    if session.marking == Marking.LOCKED:
        yield SessionLockedError()


def _end(
    substitution: Substitution,
    status: SubstitutionStatus,
    event: type[SubstitutionStep],
    *,
    by: Actor | None,
    at: datetime,
    reason: str,
) -> Substitution:
    if substitution.status == status:
        return substitution
    _require_lasting(substitution, substitution.session, at)
    STEPS.take(substitution, status, by=by, at=at, reason=reason)
    _announce(event, substitution, substitution.session, at)
    return substitution


def _announce(event: type[SubstitutionStep], substitution: Substitution, session: ClassSession, at: datetime) -> None:
    publish(
        event(
            substitution_id=substitution.pk, session_id=session.pk, section_id=session.section_id,
            instructor_id=substitution.instructor_id, substitute_id=substitution.substitute_id, happened_at=at,
        )
    )  # fmt: skip
