"""The parts people play: rows of higher apps that show the data of a person as their own.

A student or a member of faculty is written together with the person behind it: in one transaction,
and with what is wrong with either in one list.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from accounts.services.people import PersonValues, create_person, delete_person, name_faults, update_person
from core import crud
from core.errors import DomainError, InUseError, InvalidError, ViolationsError
from core.models import VersionedModel
from core.visibility import Actor

PERSON_FIELDS = frozenset(PersonValues.__annotations__)

PartT = TypeVar("PartT", bound=VersionedModel)


class PersonKnownError(InvalidError):
    """A part for a known person brings no data about them: those are changed where the person may be changed."""

    code = "person_known"
    title = "A known person keeps the data that are on record."
    field = "person"


@transaction.atomic
def create_part(model: type[PartT], values: Mapping[str, Any], *, by: Actor | None) -> PartT:
    """Record a part and its person, who has a last name; a `person` among `values` is given one more part instead."""
    personal, own = _split(values)
    person: Person | None = own.pop("person", None)
    if person is not None and any(personal.values()):
        raise PersonKnownError
    refusal: DomainError | None = next(iter(name_faults(personal, None)), None) if person is None else None
    try:
        person = person or create_person(by=by, **personal)
    except DomainError as refused:
        refusal = _together(refusal, refused)
        # A stand-in lets the part be checked as well; it is rolled back with everything else.
        person = person or create_person(by=by)
    try:
        part = crud.create(model, {**own, "person": person}, by=by)
    except DomainError as refused:
        raise _together(refusal, refused) from refused
    if refusal is not None:
        raise refusal
    return part


@transaction.atomic
def update_part(part: PartT, person: Person, changes: Mapping[str, Any], *, by: Actor | None) -> PartT:
    """Change a part and its `person`; a change of the person counts as one of the part, which shows it."""
    personal, own = _split(changes)
    seen = person.version, part.version
    refusal: DomainError | None = None
    try:
        crud.update(part, own, by=by)
    except DomainError as refused:
        refusal = refused
    try:
        update_person(person, by=by, **personal)
    except DomainError as refused:
        raise _together(refusal, refused) from refused
    if refusal is not None:
        raise refusal
    if person.version != seen[0] and part.version == seen[1]:
        crud.touch(part)
    return part


@transaction.atomic
def delete_part(part: VersionedModel, person: Person, *, by: Actor | None) -> None:
    """Delete a part, and its `person` unless they have another; refused with `in_use` while the part is referred to."""
    crud.delete(part)
    with suppress(InUseError):
        delete_person(person, by=by)


def lock_persons(ids: Iterable[UUID]) -> None:
    """Lock persons until the transaction ends, in the order of their ids, after the parts that they play."""
    persons = Person.objects.filter(pk__among=list(ids)).order_by("pk")
    list(persons.select_for_update(no_key=True).values_list("pk"))


def _split(values: Mapping[str, Any]) -> tuple[PersonValues, dict[str, Any]]:
    """Tell what belongs to the person from what belongs to the part."""
    personal: Any = {name: value for name, value in values.items() if name in PERSON_FIELDS}
    return personal, {name: value for name, value in values.items() if name not in PERSON_FIELDS}


def _together(earlier: DomainError | None, later: DomainError) -> DomainError:
    return later if earlier is None else ViolationsError([earlier, later])
