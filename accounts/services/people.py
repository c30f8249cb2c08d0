"""What changes a person's own data."""

from datetime import date
from typing import TypedDict, Unpack

from accounts.models import Person
from core import crud
from core.errors import InvalidError
from core.visibility import Actor


class PersonValues(TypedDict, total=False):
    first_name: str
    last_name: str
    preferred_name: str
    email: str
    phone: str
    birth_date: date | None
    gender: str
    nationality: str


def create_person(*, by: Actor | None, **values: Unpack[PersonValues]) -> Person:
    """Record a person."""
    return crud.create(Person, values)


def update_person(person: Person, *, by: Actor | None, **changes: Unpack[PersonValues]) -> Person:
    """Change a person's data; a last name that is known is not taken away: `required`."""
    if changes.get("last_name") == "" and person.last_name:
        raise InvalidError("This field is required.", field="last_name", code="required")
    return crud.update(person, changes)


def delete_person(person: Person, *, by: Actor | None) -> None:
    """Forget a person; refused with `in_use` while they have a part to play."""
    crud.delete(person)
