"""The parts people play, by the thousand: what `accounts.services.parts` does, for imports."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import models, transaction

from accounts.models import Person
from accounts.services.parts import PERSON_FIELDS, changed_names, lock_persons, out_of_scope, scope_faults
from accounts.services.people import name_faults
from core import bulk, snapshots
from core.duties import is_same
from core.errors import DomainError, InUseError
from core.models import CustomizableModel
from core.visibility import Actor

PartT = TypeVar("PartT", bound=CustomizableModel)


@dataclass(frozen=True, slots=True)
class Decided:
    """What others decide about whoever plays a part, and the refusal of somebody who would do so themselves."""

    names: frozenset[str]
    refusal: type[DomainError]

    def faults(
        self, values: Mapping[str, Any], part: CustomizableModel | None, *, by: Actor | None
    ) -> list[DomainError]:
        """Return the refusal of whoever would play one more part, or change what others decide about theirs."""
        person = values.get("person_id") if part is None else part.person_id  # type: ignore[attr-defined]  # every part has one
        names = self.names if part is None else self.names & values.keys()
        return [self.refusal()] if names and is_same(by, people=[person]) else []


def part_faults(
    model: type[CustomizableModel],
    values: Mapping[str, Any],
    *,
    part: CustomizableModel | None,
    nameless: bool = False,
    apart: Collection[str] = (),
) -> list[DomainError]:
    """Return what is wrong with the values of a part and its person, without asking the database.

    Names in `apart` are none of either's; what they hold is the caller's to check. Whoever is new has a last name,
    unless the source has none to give: those are `nameless`.
    """
    personal, own = _split(values, apart)
    return [
        *_person_faults(personal, own, part, nameless=nameless),
        *bulk.faults(model, own, partial=part is not None, ignoring=("person",)),
    ]


def _person_faults(
    personal: Mapping[str, Any], own: Mapping[str, Any], part: CustomizableModel | None, *, nameless: bool
) -> list[DomainError]:
    person: Person | None = getattr(part, "person", None)
    is_known = person is None and own.get("person_id") is not None
    unnamed = [] if is_known or (nameless and person is None) else name_faults(personal, person)
    return [*unnamed, *bulk.faults(Person, personal, partial=True)]


@transaction.atomic
def create_parts(
    model: type[PartT],
    rows: Sequence[Mapping[str, Any]],
    *,
    by: Actor | None,
    decided: Decided,
    nameless: bool = False,
    along: Callable[[PartT, Mapping[str, Any]], Iterable[models.Model]] = lambda part, values: (),
    apart: Collection[str] = (),
) -> list[PartT | DomainError]:
    """Create parts with the persons they are of; return for each the part, or why it was refused.

    A `person_id` among the values names a person who plays one more part, somebody else than `by`; their own data stay
    as they are. Other persons have a last name, unless they are `nameless`. `along` makes further rows
    that are inserted with the part, or not at all, of all the values; those that `apart` names are
    for it alone.
    """
    custom = bulk.CustomValues(model, by=by)
    results: list[PartT | DomainError] = []
    groups: list[list[models.Model]] = []
    for values in rows:
        personal, own = _split(values, apart)
        person = None if "person_id" in own else Person(**personal)
        errors = decided.faults(values, None, by=by) + _person_faults(personal, own, None, nameless=nameless)
        made = bulk.built(model, {**own, "person": person} if person else own, custom)
        if isinstance(made, DomainError):
            results.append(bulk.one_error([*errors, *made.violations]) or made)
        elif errors:
            results.append(bulk.one_error(errors) or errors[0])
        else:
            results.append(made)
            groups.append([*([person] if person else []), made, *along(made, values)])
    refused = iter(bulk.insert(groups, custom))
    return [result if isinstance(result, DomainError) else next(refused) or result for result in results]


@transaction.atomic
def change_parts(changes: Sequence[tuple[PartT, Mapping[str, Any]]], *, by: Actor | None) -> list[DomainError | None]:
    """Change locked parts and their persons; return for each why it was refused, or None.

    A change of the person counts as one of the part, which shows it. Refused with `person_out_of_scope` where the
    person has another part that the actor is not in charge of.
    """
    if not changes:
        return []
    changed = _personal_changes(changes)
    beyond = out_of_scope(type(changes[0][0]), [pk for pk, names in changed.items() if names], by=by)
    custom = bulk.CustomValues(type(changes[0][0]), by=by)
    found: list[DomainError | None] = []
    people: list[tuple[models.Model, Collection[str]]] = []
    parts: list[tuple[models.Model, Collection[str]]] = []
    for part, values in changes:
        personal, own = _split(values)
        person: Person = part.person  # type: ignore[attr-defined]  # every part has one
        unnamed = bulk.one_error(name_faults(personal, person))
        foreign = bulk.one_error(scope_faults(changed[person.pk] if person.pk in beyond else ()))
        wrong_person, personal_names = bulk.set_values(person, personal, None)
        wrong_part, names = bulk.set_values(part, own, custom)
        wrong = [error for error in (foreign, unnamed, wrong_person, wrong_part) if error is not None]
        found.append(bulk.one_error([single for error in wrong for single in error.violations]))
        if not wrong and (personal_names or names):
            parts.append((part, names))
            if personal_names:
                people.append((person, personal_names))
    bulk.update(people)  # nothing that these fields hold can be refused by the database alone
    refused = {row.pk: error for (row, _), error in zip(parts, bulk.update(parts, custom), strict=True)}
    return [error or refused.get(part.pk) for (part, _), error in zip(changes, found, strict=True)]


def _personal_changes(changes: Iterable[tuple[CustomizableModel, Mapping[str, Any]]]) -> dict[UUID, list[str]]:
    """Return, by person, the fields that would not stay as they are."""
    persons: list[tuple[Person, Mapping[str, Any]]] = [(part.person, values) for part, values in changes]  # type: ignore[attr-defined]  # every part has one
    return {person.pk: changed_names(person, _split(values)[0]) for person, values in persons}


@transaction.atomic
def update_parts(
    changes: Sequence[tuple[PartT, Mapping[str, Any]]],
    *,
    by: Actor | None,
    decided: Decided,
    consequential: Collection[str],
    faults: Callable[[PartT, Mapping[str, Any]], list[DomainError]],
    update: Callable[..., object],
    **related: type[models.Model],
) -> list[DomainError | None]:
    """Change locked parts; return for each why it was refused, or None. Nobody changes what is `decided` about them.

    A change of what is `consequential` goes through `update`, the service for one part, which takes
    rows of the `related` models instead of ids; all others are written together.
    """
    lock_persons(part.person_id for part, _ in changes)  # type: ignore[attr-defined]  # every part has one
    own = {part.pk: bulk.one_error(decided.faults(values, part, by=by)) for part, values in changes}
    sound = [(part, values) for part, values in changes if own[part.pk] is None]
    plain = [(part, values) for part, values in sound if not values.keys() & set(consequential)]
    others = [(part, values) for part, values in sound if values.keys() & set(consequential)]
    refused = own | {part.pk: error for (part, _), error in zip(plain, change_parts(plain, by=by), strict=True)}
    for (part, values), (_, given) in zip(others, bulk.with_related(others, **related), strict=True):
        wrong = bulk.one_error(faults(part, values))
        refused[part.pk] = wrong or bulk.attempt(partial(update, part, by=by, **given))
    return [refused[part.pk] for part, _ in changes]


def keep_parts(model: type[PartT], ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what brings parts and their persons back exactly, by the part's id."""
    parts = snapshots.keep_whole(model, ids)
    person_of = {pk: UUID(snapshots.rows_of(kept[0])[0]["person_id"]) for pk, kept in parts.items()}
    people = snapshots.keep(Person, list(person_of.values()))
    return {pk: [*kept, people[person_of[pk]]] for pk, kept in parts.items()}


@transaction.atomic
def remove_parts(model: type[PartT], ids: Collection[UUID]) -> None:
    """Delete parts, and their persons unless they have another; refused with `in_use`."""
    people = list(model._base_manager.filter(pk__in=list(ids)).values_list("person_id", flat=True))
    bulk.delete(model, ids)
    lock_persons(people)
    try:
        bulk.delete(Person, people)
    except InUseError:
        for person_id in people:
            _remove_unless_used(person_id)


def _remove_unless_used(person_id: UUID) -> None:
    try:
        bulk.delete(Person, [person_id])
    except InUseError:
        return


def _split(values: Mapping[str, Any], apart: Collection[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell what belongs to the person from what belongs to the part, and leave out what belongs to neither."""
    personal = {name: value for name, value in values.items() if name in PERSON_FIELDS}
    own = {name: value for name, value in values.items() if name not in PERSON_FIELDS and name not in apart}
    return personal, own
