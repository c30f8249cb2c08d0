"""Legal holds: placed and released by those who answer for the records, stronger than erasure and retention."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Person
from audit.services import record
from core import crud
from core.db.constraints import refusal
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError
from core.visibility import Actor
from privacy.models import LegalHold, held_people, same_people
from privacy.services.reasons import stated


class HeldError(ConflictError):
    """The records of the person are to be kept."""

    code = "legal_hold"
    title = "A legal hold keeps the records of this person."


refusal("privacy_erasurerequest_not_held", HeldError)


class ReleasedError(ConflictError):
    """The hold is over."""

    code = "hold_released"
    title = "The hold has been released already."


class OwnHoldError(ForbiddenError):
    """Whether the records of somebody are kept is decided by somebody else."""

    code = "self_approval"
    title = "Nobody places or releases a hold on their own records."


@transaction.atomic
def place_hold(*, by: Actor | None, person: Person, reason: str) -> LegalHold:
    """Keep the records of a person from erasure and retention; raises `OwnHoldError` and `ReasonMissingError`."""
    _require_somebody_else(person.pk, by)
    # Waits for an erasure of the person that is under way, and every later one finds the hold.
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    values = {"person": person, "reason": stated(reason), "placed_by": by, "placed_at": timezone.now()}
    hold = crud.create(LegalHold, values)
    record(action="privacy.hold_placed", actor=by, subject=hold, reason=reason, detail={"person": person.pk})
    return hold


@transaction.atomic
def release_hold(hold: LegalHold, *, by: Actor | None, at: datetime, reason: str) -> LegalHold:
    """Let the records of a person have their time again.

    Raises `OwnHoldError`, `ReleasedError` and `ReasonMissingError`.
    """
    _require_somebody_else(hold.person_id, by)
    if hold.released_at is not None:
        raise ReleasedError
    crud.update(hold, {"released_by": by, "released_at": at})
    detail = {"person": hold.person_id}
    record(action="privacy.hold_released", actor=by, subject=hold, reason=stated(reason), detail=detail)
    return hold


def _require_somebody_else(person_id: UUID, by: Actor | None) -> None:
    may_not_be_same(by, OwnHoldError, people=same_people(person_id).values_list("pk", flat=True))


def require_not_held(people: Collection[UUID]) -> None:
    """Raise `HeldError` while a hold on one of the people, or on another record of theirs, is in force."""
    if held_people().filter(pk__in=people).exists():
        raise HeldError
