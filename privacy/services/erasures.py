"""Forgetting people: asked for by one, approved by another, done by a worker.

What is erased is who it was. The academic record, the history of what happened and the log of who saw what stay, under
a pseudonym. A legal hold wins: placing one and erasing lock the same person, and the database refuses an erasure that
is done beside a hold.
"""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.assignments import scopes_of
from accounts.models import Person, User
from audit.services import ERASED, record
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, DomainError, MissingError, OutOfScopeError, raise_all
from core.events import publish
from core.privacy import Subject, erase, obstacles_to
from core.provenance import acting_as
from privacy.events import ErasureApproved
from privacy.models import ErasureRequest, ErasureState, ExportState, SubjectExport, same_people
from privacy.services import exports
from privacy.services.holds import require_not_held
from privacy.services.reasons import stated
from privacy.services.subjects import subject_of

logger = logging.getLogger(__name__)

FOR_OTHERS = "privacy.add_erasurerequest"
DECIDE = "privacy.change_erasurerequest"
NOBODY = UUID(int=0)


class DecidedError(ConflictError):
    """Somebody has decided on it before."""

    code = "erasure_decided"
    title = "It has been decided on this erasure already."


class SelfApprovalError(ConflictError):
    """Two people are needed to forget somebody."""

    code = "self_approval"
    title = "Whoever asked for an erasure, or is to be erased, does not decide on it."


@transaction.atomic
def request_erasure(*, by: Any, person: Person | None = None, reason: str = "") -> ErasureRequest:
    """Ask for a person to be erased, oneself by default; somebody else has to approve it.

    Raises `NoPersonError`, `OutOfScopeError`, `ReasonMissingError`, `HeldError`, what stands in the way of the person,
    and `erasure_requested` while another request is open.
    """
    person_id = person.pk if person is not None else by.person_id
    if person_id is None:
        raise exports.NoPersonError
    if person_id != by.person_id:
        if not scopes_of(by, FOR_OTHERS).everywhere:
            raise OutOfScopeError("The erasure of others is for those who answer for them.", field="person")
        stated(reason)
    require_erasable(subject_of(person_id))
    asked = crud.create(ErasureRequest, {"person_id": person_id, "requested_by": by, "reason": reason.strip()})
    record(action="privacy.erasure_requested", actor=by, subject=asked, detail={"person": person_id})
    return asked


@transaction.atomic
def approve_erasure(erasure: ErasureRequest, *, by: Any, at: datetime) -> ErasureRequest:
    """Let a worker erase the person.

    Raises `SelfApprovalError`, `DecidedError`, `HeldError` and what stands in the way of the person.
    """
    _require_decider(erasure, by)
    require_erasable(subject_of(erasure.person_id))
    crud.update(erasure, {"state": ErasureState.APPROVED, "decided_by": by, "decided_at": at})
    record(action="privacy.erasure_approved", actor=by, subject=erasure, detail={"person": erasure.person_id})
    publish(ErasureApproved(erasure_id=erasure.pk))
    return erasure


@transaction.atomic
def reject_erasure(erasure: ErasureRequest, *, by: Any, at: datetime, reason: str) -> ErasureRequest:
    """Leave the person as they are recorded; raises `SelfApprovalError`, `DecidedError` and `ReasonMissingError`."""
    _require_decider(erasure, by)
    crud.update(erasure, {"state": ErasureState.REJECTED, "decided_by": by, "decided_at": at})
    record(action="privacy.erasure_rejected", actor=by, subject=erasure, reason=stated(reason))
    return erasure


def carry_out_erasure(erasure_id: UUID, *, at: datetime) -> ErasureRequest | None:
    """Erase the person of an approved request, as whoever approved it; None when there is nothing to do any more."""
    found = ErasureRequest.objects.filter(pk=erasure_id, state=ErasureState.APPROVED).first()
    if found is None:
        return None
    with acting_as(found.decided_by_id):
        try:
            return _carry_out(erasure_id, at)
        except DomainError as refused:
            logger.info("erasure.refused", extra={"erasure_id": str(erasure_id), "code": refused.error_code})
            return _fail(erasure_id, refused.error_code)


def erase_person(person_id: UUID, *, dry_run: bool) -> dict[str, int]:
    """Erase a person, or say what that would be; return the number of rows by table.

    For whoever runs the system. Raises `MissingError`, `HeldError` and what stands in the way.
    """
    with transaction.atomic():
        subject = _locked_subject(person_id)
        require_erasable(subject)
        counts = erase(subject, dry_run=dry_run)
        if not dry_run and counts:
            _settle_exports(subject)
            record(action=ERASED, subject=Person(pk=person_id), detail={"rows": sum(counts.values())})
        return counts


def require_erasable(subject: Subject) -> None:
    """Raise `HeldError`, or every reason why somebody cannot be erased now."""
    require_not_held(subject.people)
    raise_all(obstacles_to(subject))


@transaction.atomic
def _carry_out(erasure_id: UUID, at: datetime) -> ErasureRequest | None:
    asked = _locked(erasure_id)
    if asked is None or asked.state != ErasureState.APPROVED:
        return None
    decider = User.objects.with_assignments().filter(pk=asked.decided_by_id or NOBODY, is_active=True).first()
    if decider is None or not scopes_of(decider, DECIDE).everywhere:
        raise OutOfScopeError("Whoever approved this may no longer do so.")
    counts = erase_person(asked.person_id, dry_run=False)
    asked.refresh_from_db()
    return crud.update(asked, {"state": ErasureState.DONE, "erased_at": at, "counts": counts})


@transaction.atomic
def _fail(erasure_id: UUID, code: str) -> ErasureRequest | None:
    asked = _locked(erasure_id)
    if asked is None or asked.state != ErasureState.APPROVED:
        return None
    return crud.update(asked, {"state": ErasureState.FAILED, "failure": code[:64]})


def _require_decider(erasure: ErasureRequest, by: Any) -> None:
    people = same_people(erasure.person_id).values_list("pk", flat=True)
    may_not_be_same(by, SelfApprovalError, accounts=[erasure.requested_by_id], people=people)
    if erasure.state != ErasureState.REQUESTED:
        raise DecidedError


def _locked_subject(person_id: UUID) -> Subject:
    """Lock every record of a person until the transaction ends: whoever places a hold waits, or came before."""
    subject_of(person_id)
    records = same_people(person_id).order_by("pk").values_list("pk", flat=True)
    if list(records.select_for_update()) != list(records.all()):
        raise MissingError("Records of this person were merged just now; try again.", field="person")
    return subject_of(person_id)


def _settle_exports(subject: Subject) -> None:
    """Delete the files about somebody that were made before, and let none come of what is being made."""
    told = SubjectExport.objects.filter(person__in=subject.people, state__in=(ExportState.REQUESTED, ExportState.READY))
    for export in told.order_by("pk").select_for_update(no_key=True):
        exports.discard_export(export, by=None)


def _locked(erasure_id: UUID) -> ErasureRequest | None:
    return ErasureRequest.objects.select_for_update(of=("self",), no_key=True).filter(pk=erasure_id).first()
