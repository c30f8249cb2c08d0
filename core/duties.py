"""Separation of duties: nobody decides about themselves, or about what they asked for. The only such mechanism.

Who was recorded more than once is one person, in each of their records.

A service says beside its other checks who must be somebody else than whoever acts. Every one of these places is taken
away in turn by `make authz-mutants`, and the cases in `tests/authorization/concerned.py` have to notice it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from core.errors import DomainError
from core.visibility import Actor


def may_not_be_same(
    by: Actor | None,
    refusal: DomainError | type[DomainError],
    *,
    accounts: Iterable[UUID | None] = (),
    people: Iterable[UUID | None] = (),
) -> None:
    """Raise `refusal` when whoever acts is one of these accounts, or is one of these people in person."""
    if _same(by, accounts, people):
        raise refusal


def is_same(by: Actor | None, *, accounts: Iterable[UUID | None] = (), people: Iterable[UUID | None] = ()) -> bool:
    """Say whether whoever acts is one of these, where the refusal is one of several or depends on what is done."""
    return _same(by, accounts, people)


def records_of(by: Any) -> frozenset[UUID]:
    """Return every record of the person who acts, in whichever they were recorded; nobody in person has any."""
    person: UUID | None = getattr(by, "person_id", None)
    return frozenset() if person is None else getattr(by, "records", frozenset({person}))


def _same(by: Actor | None, accounts: Iterable[UUID | None], people: Iterable[UUID | None]) -> bool:
    """A command acts as nobody and a program is nobody in person: neither is ever the same."""
    if by is None:
        return False
    if by.pk in accounts:
        return True
    named = set(people) - {None}
    return bool(named) and (getattr(by, "person_id", None) in named or not named.isdisjoint(records_of(by)))
