"""What changes a person's own data."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict, Unpack

from accounts.models import Person
from core import crud
from core.errors import DomainError, InvalidError, raise_all
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
    raise_all(name_faults(changes, person))
    return crud.update(person, changes)


def name_faults(values: Mapping[str, Any], person: Person | None) -> list[DomainError]:
    """Return what is wrong with the name that a person would have, who studies or teaches; None is one to come."""
    left = values.get("last_name", person.last_name if person is not None else "")
    had = person is None or person.last_name
    return [InvalidError("This field is required.", field="last_name", code="required")] if had and not left else []


def delete_person(person: Person, *, by: Actor | None) -> None:
    """Forget a person; refused with `in_use` while they have a part to play."""
    crud.delete(person)
