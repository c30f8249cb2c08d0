"""The one place where a violated database constraint becomes a domain error.

A constraint declares its own code and message (`violation_error_code`,
`violation_error_message`); what Django cannot declare (triggers, composite foreign keys) is
registered by name with `refusal`. A check that fails says the input is wrong, a unique or
exclusion constraint that it collides with what is already there.
"""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError, RestrictedError

from core.errors import ConflictError, DomainError, InUseError, InvalidError, MissingError

Factory = Callable[[], DomainError]

_registered: dict[str, Factory] = {}

NOT_NULL_VIOLATION, FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION, CHECK_VIOLATION = "23502", "23503", "23505", "23514"


class TakenError(ConflictError):
    """A column that is unique of itself, such as a one-to-one reference, holds the value already."""

    code = "unique"
    title = "Another row already has this value."


class EmptyError(InvalidError):
    """A column that needs a value was given none."""

    code = "null"
    title = "This field may not be null."


def refusal(constraint: str, error: Factory) -> None:
    """Answer a violation of `constraint` with what `error` makes, whoever caused it."""
    _registered[constraint] = error


@cache
def _declared() -> dict[str, Factory]:
    """Map the constraints that models declare to their errors."""
    known: dict[str, Factory] = {}
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            kind = InvalidError if isinstance(constraint, models.CheckConstraint) else ConflictError
            known[constraint.name] = _factory(kind, constraint)
    return known


def _factory(kind: type[DomainError], constraint: models.BaseConstraint) -> Factory:
    code = constraint.violation_error_code or ("invalid" if kind is InvalidError else "conflict")
    message = str(constraint.violation_error_message) % {"name": constraint.name}
    fields: tuple[str, ...] = tuple(getattr(constraint, "fields", ()))
    field = fields[-1] if len(fields) == 1 else ""
    return lambda: kind(message, code=code, field=field)


def refusal_named(constraint: str) -> DomainError:
    """Return the error that a violation of a constraint of a model answers."""
    return (_registered.get(constraint) or _declared()[constraint])()


def declared_refusals() -> dict[str, DomainError]:
    """Return the error of every constraint by the constraint's name, for the reference of error codes."""
    return {name: factory() for name, factory in (_declared() | _registered).items()}


def error_for(violation: IntegrityError) -> DomainError | None:
    """Return the domain error for a violation, or None when nothing declares it (a bug)."""
    if isinstance(violation, ProtectedError | RestrictedError):
        return InUseError(meta=_dependants(violation))
    diagnostics = getattr(violation.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or ""
    factory = _registered.get(name) or _declared().get(name)
    if factory is not None:
        return factory()
    return None if diagnostics is None else _undeclared(diagnostics)


def _undeclared(diagnostics: Any) -> DomainError | None:
    """Answer what columns promise by themselves: references, uniqueness, values at all."""
    detail = diagnostics.message_detail or ""
    state = diagnostics.sqlstate
    if state == FOREIGN_KEY_VIOLATION:
        return InUseError() if "still referenced" in detail else MissingError("A row this refers to does not exist.")
    if state == UNIQUE_VIOLATION:
        column = re.match(r"Key \((\w+)\)=", detail)
        return TakenError(field=column[1].removesuffix("_id") if column else "")
    if state == NOT_NULL_VIOLATION:
        return EmptyError(field=(diagnostics.column_name or "").removesuffix("_id"))
    return InvalidError() if state == CHECK_VIOLATION else None


def _dependants(violation: ProtectedError | RestrictedError) -> dict[str, dict[str, int]]:
    """Count by kind what still refers to the row."""
    objects = violation.protected_objects if isinstance(violation, ProtectedError) else violation.restricted_objects
    counts: dict[str, int] = {}
    for dependant in objects:
        kind = str(dependant._meta.verbose_name_plural)
        counts[kind] = counts.get(kind, 0) + 1
    return {"referred_to_by": counts}


@contextmanager
def refusing() -> Generator[None]:
    """Run a block in a savepoint and raise the domain error of whatever constraint it violates."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as violation:
        error = error_for(violation)
        if error is None:
            raise
        raise error from violation
