"""The parts people play: rows of higher apps that show the data of a person as their own.

A student or a member of faculty is written together with the person behind it: in one transaction,
and with what is wrong with either in one list.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from accounts.assignments import scopes_of
from accounts.models import Person
from accounts.services.people import PersonValues, create_person, delete_person, name_faults, update_person
from core import crud
from core.errors import DomainError, ForbiddenError, InUseError, InvalidError, ViolationsError, raise_all
from core.models import CustomizableModel, VersionedModel
from core.visibility import Actor, visible

PERSON_FIELDS = frozenset(PersonValues.__annotations__)

PartT = TypeVar("PartT", bound=VersionedModel)


class PersonKnownError(InvalidError):
    """A part for a known person brings no data about them: those are changed where the person may be changed."""

    code = "person_known"
    title = "A known person keeps the data that are on record."
    field = "person"


class PersonOutOfScopeError(ForbiddenError):
    """Every part shows the data of its person: whoever is in charge of one alone changes nothing for the others."""

    code = "person_out_of_scope"
    title = "This field of the person is outside the scope of your role."


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
    """Change a part and its `person`; a change of the person counts as one of the part, which shows it.

    Refused with `person_out_of_scope` where the person has another part that the actor is not in charge of.
    """
    personal, own = _split(changes)
    changed = changed_names(person, personal)
    if changed and out_of_scope(type(part), [person.pk], by=by):
        raise_all(scope_faults(changed))
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


def out_of_scope(model: type[VersionedModel], persons: Collection[UUID], *, by: Actor | None) -> set[UUID]:
    """Return those of the persons who have another part than one of `model` that `by` does not manage.

    None is nobody in person, such as a command, and manages all. One query for each other kind of part at most.
    """
    if by is None or not persons or scopes_of(by, "accounts.change_person").everywhere:
        return set()
    found: set[UUID] = set()
    for other in _kinds_of_parts() - {model}:
        managed = visible(other._base_manager.all(), by, to="manage")
        # Charge of every row is no condition at all, and needs no question.
        if managed.query.where:
            own = managed.filter(person__among=list(persons))
            parts = other._base_manager.filter(person__among=list(persons)).exclude(pk__in=own.values("pk"))
            found.update(parts.values_list("person_id", flat=True))
    return found


def changed_names(person: Person, personal: Mapping[str, Any]) -> list[str]:
    """Return the fields of a person that would not stay as they are."""
    return [name for name, value in personal.items() if getattr(person, name) != value]


def scope_faults(names: Iterable[str]) -> list[DomainError]:
    """Return the refusals to change these fields of a person."""
    return [PersonOutOfScopeError(field=name) for name in names]


def _kinds_of_parts() -> set[Any]:
    """Return the models of higher apps whose rows are each the one part of their kind that a person plays."""
    models = {relation.related_model for relation in Person._meta.related_objects if relation.one_to_one}
    return {model for model in models if issubclass(model, CustomizableModel)}


def _split(values: Mapping[str, Any]) -> tuple[PersonValues, dict[str, Any]]:
    """Tell what belongs to the person from what belongs to the part."""
    personal: Any = {name: value for name, value in values.items() if name in PERSON_FIELDS}
    return personal, {name: value for name, value in values.items() if name not in PERSON_FIELDS}


def _together(earlier: DomainError | None, later: DomainError) -> DomainError:
    return later if earlier is None else ViolationsError([earlier, later])
