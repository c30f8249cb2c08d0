"""Field masks: columns that only some of those who see a row may know. The only such mechanism in the system.

An app declares in its `visibility.py` which columns are protected, or what its model computes in SQL (`in_sql`), as
paths from the model, and by a rule like those of `core.visibility` of which rows an actor may know them. Everything
that shows rows asks here: readers show null in their place (`core.api.serializers`), administration pages leave them
out (`core.admin`), writes that name them are refused (`core.api.viewsets`), and a server whose filters, orderings,
searches or other readers lead to one does not start (`core.checks`). What nobody was granted, nobody knows.

One mask of a model may cover its protected custom fields as well (`core.customfields.protection`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import BooleanField, Exists, Field, Model, OuterRef, Q, QuerySet, Value

from core.visibility import Grant

ModelT = TypeVar("ModelT", bound=Model)
GrantT = TypeVar("GrantT", bound=Grant)


@dataclass(frozen=True)
class Mask:
    """Columns of a model, and the rule that says of which rows an actor may know them."""

    model: type[Model]
    paths: frozenset[str]
    rule: Grant
    # Whether the same rule says who may know the custom fields that are marked as protected.
    custom_fields: bool = False

    @property
    def attribute(self) -> str:
        """Under which name `with_knowledge` says of a row whether the actor may know."""
        return f"may_know_{self.rule.__name__}"

    @property
    def names(self) -> frozenset[str]:
        """How the columns are called where services, forms and pages name them."""
        return frozenset(path.rpartition("__")[2] for path in self.paths)

    @property
    def columns(self) -> frozenset["Field[Any, Any]"]:
        """The masked columns themselves, of the model or of one that it leads to; what is computed is none."""
        paths = {*self.paths, "custom_data"} if self.custom_fields else self.paths
        computed = getattr(self.model, "in_sql", {})
        return frozenset(_column(self.model, path) for path in paths if path not in computed)

    def covers(self, path: str) -> bool:
        """Say whether a path is that of a masked column, or leads into one."""
        return any(path == masked or path.startswith(f"{masked}__") for masked in self.paths)

    def known_everywhere(self, actor: Any) -> bool:
        """Say whether the actor may know the columns of every row."""
        rows = self.rule(actor)
        return rows is not None and not rows

    def known(self, row: Model, actor: Any) -> bool:
        """Say whether the actor may know the columns of a row."""
        rows = self.rule(actor)
        return rows is not None and (not rows or self.model._base_manager.filter(rows, pk=row.pk).exists())

    def known_of_all(self, found: "QuerySet[Any]", actor: Any) -> bool:
        """Say whether the actor may know the columns of each of these rows of the model."""
        rows = self.rule(actor)
        return rows is not None and (not rows or not found.filter(~Exists(self._same(rows))).exists())

    def _same(self, rows: Q) -> "QuerySet[Any]":
        return self.model._base_manager.filter(rows, pk=OuterRef("pk"))


_masks: defaultdict[type[Model], list[Mask]] = defaultdict(list)


def masks(model: type[Model], *paths: str, custom_fields: bool = False) -> Callable[[GrantT], GrantT]:
    """Protect columns of `model`: the rule returns the rows of which an actor may know them, or None for none.

    With `custom_fields` it is also the rule for the protected custom fields of the model.
    """

    def register(rule: GrantT) -> GrantT:
        _masks[model].append(Mask(model, frozenset(paths), rule, custom_fields))
        return rule

    return register


def masks_of(model: type[Model]) -> tuple[Mask, ...]:
    """Return what is masked of a model."""
    return tuple(_masks.get(model, ()))


def custom_mask_of(model: type[Model]) -> Mask | None:
    """Return the mask on the protected custom fields of a model; without one, nobody may know them."""
    return next((mask for mask in masks_of(model) if mask.custom_fields), None)


def mask_on(model: type[Model], path: str) -> Mask | None:
    """Return the mask on the column that a path leads to, be it one of the model or of a model on the way."""
    return next((mask for step, rest in _steps(model, path) for mask in masks_of(step) if mask.covers(rest)), None)


def with_knowledge(queryset: QuerySet[ModelT], found: Collection[Mask], actor: Any) -> QuerySet[ModelT]:
    """Let every row say by which of the masks its columns may be known to `actor`, within the same query."""
    for mask in found:
        rows = mask.rule(actor)
        answer: Any = Value(rows is not None, output_field=BooleanField())
        if rows:
            answer = Exists(mask._same(rows))
        queryset = queryset.annotate(**{mask.attribute: answer})
    return queryset


def _steps(model: type[Model], path: str) -> Iterator[tuple[type[Model], str]]:
    """Yield each model on the way of a path, with what is left of the path there."""
    yield model, path
    name, _, rest = path.partition("__")
    fields = {field.name: field for field in model._meta.get_fields()}
    related = getattr(fields.get(name), "related_model", None)
    if rest and related is not None:
        yield from _steps(related, rest)


def _column(model: type[Model], path: str) -> "Field[Any, Any]":
    name, _, rest = path.partition("__")
    field: Any = model._meta.get_field(name)
    return _column(field.related_model, rest) if rest else field
