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
from core.errors import ConflictError
from core.visibility import Actor
from privacy.models import LegalHold, held_people
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


@transaction.atomic
def place_hold(*, by: Actor | None, person: Person, reason: str) -> LegalHold:
    """Keep the records of a person from erasure and retention; raises `ReasonMissingError`."""
    # Waits for an erasure of the person that is under way, and every later one finds the hold.
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    values = {"person": person, "reason": stated(reason), "placed_by": by, "placed_at": timezone.now()}
    hold = crud.create(LegalHold, values)
    record(action="privacy.hold_placed", actor=by, subject=hold, reason=reason, detail={"person": person.pk})
    return hold


@transaction.atomic
def release_hold(hold: LegalHold, *, by: Actor | None, at: datetime, reason: str) -> LegalHold:
    """Let the records of a person have their time again; raises `ReleasedError` and `ReasonMissingError`."""
    if hold.released_at is not None:
        raise ReleasedError
    crud.update(hold, {"released_by": by, "released_at": at})
    detail = {"person": hold.person_id}
    record(action="privacy.hold_released", actor=by, subject=hold, reason=stated(reason), detail=detail)
    return hold


def require_not_held(people: Collection[UUID]) -> None:
    """Raise `HeldError` while a hold on one of the people, or on another record of theirs, is in force."""
    if held_people().filter(pk__in=people).exists():
        raise HeldError
