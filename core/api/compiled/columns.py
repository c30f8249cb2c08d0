"""What the `source` of a field means in SQL: a column, a bound of a range, or a property that has an expression.

A model says of its properties what they are in SQL under `in_sql`: by name a function that is told how the row's
columns are reached (`lambda of: F(of + "capacity")`) and returns the expression, and the model field that it is like.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import RangeField
from django.db.models import F, Func, GeneratedField, Model, Q
from django.db.models.constants import LOOKUP_SEP

InSQL = Mapping[str, Callable[[str], tuple[Any, Any]]]
BOUNDS = {"lower": "lower", "upper": "upper"}


class NotCompiledError(Exception):
    """PostgreSQL cannot make what the field shows."""


@dataclass(frozen=True)
class Place:
    """A row that a reader shows: its model and how its columns are reached from the row of the list."""

    model: type[Model]
    prefix: str = ""
    # By name the models of the relations that the queryset adds to the model's own.
    added: Any = None
    # The path of the last row on the way that may be missing.
    gap: str | None = None

    def step(self, name: str) -> "Place":
        """Return the row that a foreign key, or the other end of a one-to-one, leads to."""
        if self.added and name in self.added:
            relation: Any = self.model._meta.get_field(self.added[name].relation_name)
            is_optional = True
        else:
            relation = self._field(name)
            is_optional = getattr(relation, "null", False) or not relation.concrete
        if relation is None or relation.related_model is None:
            raise NotCompiledError(f"{name} is no row")
        if name not in (self.added or ()) and not (relation.many_to_one or relation.one_to_one):
            raise NotCompiledError(f"{name} is more than one row")
        path = f"{self.prefix}{name}"
        return Place(relation.related_model, f"{path}{LOOKUP_SEP}", gap=path if is_optional else self.gap)

    def is_there(self) -> Q:
        """Say that the row is not missing."""
        return Q(**{f"{self.prefix}{self.key}__isnull": False})

    @property
    def key(self) -> str:
        key: Any = self.model._meta.pk
        return str(key.attname)

    def column(self, name: str) -> tuple[Any, Any]:
        """Return a column or a property of the row, and the model field that it is, or is like."""
        known: InSQL = getattr(self.model, "in_sql", {})
        if name in known:
            return known[name](self.prefix)
        field = self._field(name)
        if not getattr(field, "concrete", False) or field.many_to_many:
            raise NotCompiledError(f"{name} is no column")
        return F(f"{self.prefix}{field.attname}"), plain(field)

    def bound(self, name: str, end: str) -> tuple[Any, Any]:
        """Return where a range begins or ends."""
        column, field = self.column(name)
        if not isinstance(field, RangeField) or end not in BOUNDS:
            raise NotCompiledError(f"{name}.{end} is no column")
        base: Any = field.base_field
        inner = base() if isinstance(base, type) else base
        return Func(column, function=BOUNDS[end], output_field=inner), inner

    def _field(self, name: str) -> Any:
        fields = {each.name: each for each in self.model._meta.get_fields()}
        fields |= {each.attname: each for each in self.model._meta.concrete_fields}
        if name not in fields:
            raise NotCompiledError(f"{name} is neither a column nor a property with an expression")
        return fields[name]


def plain(field: Any) -> Any:
    """Return the kind of a column's values: of a foreign key those of the key, of a generated column its output's."""
    while True:
        if isinstance(field, GeneratedField):
            field = field.output_field
        elif field.is_relation:
            field = field.target_field
        else:
            return field
