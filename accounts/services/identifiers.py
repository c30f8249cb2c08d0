"""What changes the identifiers that authorities gave to people, and the only way to read one."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from accounts.events import IdentifierRevealed
from accounts.models import Person, PersonIdentifier
from audit.services import record
from core import crud
from core.errors import InvalidError
from core.events import publish
from core.security.fields import normalised
from core.visibility import Actor


class IdentifierValues(TypedDict, total=False):
    person: Person
    scheme: str
    country: str
    value: str


class ReasonMissingError(InvalidError):
    """Whoever reads a protected value says what for."""

    code = "reason_required"
    title = "Say why the value is needed."
    field = "reason"


class ReasonTellsValueError(InvalidError):
    """The reason is kept for as long as the record, and by more people than may read the value."""

    code = "reason_tells_value"
    title = "The reason repeats the protected value."
    field = "reason"


def create_identifier(*, by: Actor | None, **values: Unpack[IdentifierValues]) -> PersonIdentifier:
    """Record an identifier of a person; raises `identifier_taken` when it is on record, however it was written."""
    return crud.create(PersonIdentifier, values)


def update_identifier(
    identifier: PersonIdentifier, *, by: Actor | None, **changes: Unpack[IdentifierValues]
) -> PersonIdentifier:
    """Change an identifier; raises `identifier_taken` when the new one is on record."""
    fields: dict[str, Any] = dict(changes)
    if "value" in fields:
        fields["value_index"] = PersonIdentifier.index_of(fields["value"])
    return crud.update(identifier, fields)


def delete_identifier(identifier: PersonIdentifier, *, by: Actor | None) -> None:
    """Remove an identifier from the record."""
    crud.delete(identifier)


@transaction.atomic
def reveal_identifier(identifier: PersonIdentifier, *, by: Actor, at: datetime, reason: str) -> str:
    """Return the identifier itself, and put on record who asked for it and what for.

    Raises `ReasonMissingError`, and `ReasonTellsValueError` when the reason repeats what is protected.
    """
    if not normalised(reason):
        raise ReasonMissingError
    value: str = identifier.value
    if normalised(value) in normalised(reason):
        raise ReasonTellsValueError
    publish(
        IdentifierRevealed(
            identifier_id=identifier.pk,
            person_id=identifier.person_id,
            scheme=identifier.scheme,
            revealed_by=by.pk,
            happened_at=at,
        )
    )
    detail = {"scheme": identifier.scheme, "person": identifier.person_id}
    record(action="identifier.revealed", actor=by, subject=identifier, reason=reason, detail=detail)
    return value
