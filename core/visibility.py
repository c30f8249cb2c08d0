"""Row visibility: which rows an actor may see and manage. The only such mechanism in the system.

Apps grant sight of rows in their `visibility.py`. A row is visible when any grant opens it; a
model that nobody granted is invisible to everybody. An app may also grant sight of models in the
layers below it, which lets a lower app stay ignorant of the reasons higher apps have.

`view` is the sight that reads and foreign keys need; `manage` is what a change or deletion needs
in addition to the permission for that kind of action.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

ModelT = TypeVar("ModelT", bound=Model)
Sight = Literal["view", "manage"]


class Actor(Protocol):
    """Whoever acts: an authenticated user, or a job acting for one."""

    pk: UUID

    def has_perm(self, perm: str, obj: Any = None) -> bool: ...


Grant = Callable[[Any], Q | None]
GrantT = TypeVar("GrantT", bound=Grant)

_grants: defaultdict[tuple[type[Model], Sight], list[Grant]] = defaultdict(list)


def grants(model: type[Model], *sights: Sight) -> Callable[[GrantT], GrantT]:
    """Register a rule that returns the rows of `model` it opens to an actor, or None for none.

    Without `sights` the rule opens rows for viewing only; managing always includes viewing. Reach
    other tables through `__in` subqueries, never joins, so that each rule stays one index lookup.
    `Q()` opens every row.
    """

    def register(rule: GrantT) -> GrantT:
        _grants[model, "view"].append(rule)
        if "manage" in sights:
            _grants[model, "manage"].append(rule)
        return rule

    return register


def visible(queryset: QuerySet[ModelT], actor: Any, *, to: Sight = "view") -> QuerySet[ModelT]:
    """Narrow `queryset` to the rows `actor` may see (or manage)."""
    opened: list[Q] = []
    for rule in _grants[queryset.model, to]:
        q = rule(actor)
        if q is None:
            continue
        if not q:
            return queryset.all()
        opened.append(q)
    if not opened:
        return queryset.none()
    if len(opened) == 1:
        return queryset.filter(opened[0])
    # UNION ALL, not OR: each grant keeps its own index, and a row opened twice appears once.
    rows = queryset.model._base_manager
    first, *rest = (rows.filter(q).values("pk") for q in opened)
    return queryset.filter(pk__in=first.union(*rest, all=True))


def grants_for(model: type[Model], sight: Sight = "view") -> tuple[Grant, ...]:
    """Return the rules for `model`, for checks and tests."""
    return tuple(_grants[model, sight])
