"""What the check constraints of a model say of values that are not written yet, told without the database.

A condition is evaluated as SQL does it: a part that is null or not known makes what depends on it
unknown, and only what is certainly false is a fault. Comparisons beyond the ones below are unknown;
the database answers them when the row is written.
"""

import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import CombinedExpression

from core.db.constraints import refusal_named
from core.errors import DomainError

Values = Mapping[str, Any]
Evaluate = Callable[[Values], Any]

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, choices: value in choices,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}


class Unknown:
    """Stands for a value that nobody has given."""


UNKNOWN = Unknown()


class Rule(NamedTuple):
    """One check constraint: which columns it is about, and whether it holds (None when that is not known)."""

    name: str
    columns: frozenset[str]
    holds: Evaluate


@cache
def rules_of(model: type[models.Model]) -> list[Rule]:
    """Return the check constraints of a model, without those that say no more than the choices of its fields."""
    rules: list[Rule] = []
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint) and isinstance(constraint.condition, Q):
            columns: set[str] = set()
            holds = _compiled(model, constraint.condition, columns)
            if not all(_has_choices(model, column) for column in columns):
                rules.append(Rule(str(constraint.name), frozenset(columns), holds))
    return rules


def broken(model: type[models.Model], values: Values) -> list[tuple[Rule, DomainError]]:
    """Return the constraints that values, by column, certainly break, and what each of them answers."""
    return [(rule, refusal_named(rule.name)) for rule in rules_of(model) if rule.holds(values) is False]


def _has_choices(model: type[models.Model], column: str) -> bool:
    field = next((field for field in model._meta.concrete_fields if field.attname == column), None)
    return field is not None and bool(field.choices)


def _compiled(model: type[models.Model], condition: Q, columns: set[str]) -> Evaluate:
    parts = [
        _compiled(model, child, columns) if isinstance(child, Q) else _comparison(model, child, columns)
        for child in condition.children
    ]
    connector, is_negated = condition.connector, condition.negated

    def evaluate(values: Values) -> Any:
        found = [part(values) for part in parts]
        if connector == Q.AND:
            result = False if False in found else (None if None in found else True)
        elif connector == Q.OR:
            result = True if True in found else (None if None in found else False)
        else:
            return None
        return result if not is_negated or result is None else not result

    return evaluate


def _comparison(model: type[models.Model], child: Any, columns: set[str]) -> Evaluate:
    if not isinstance(child, tuple):
        return _unknown
    name, _, lookup = child[0].partition("__")
    left = _operand(model, F(name), columns)
    if lookup == "isnull":
        wants_null = bool(child[1])
        return lambda values: None if (held := left(values)) is UNKNOWN else (held is None) is wants_null
    compare = COMPARISONS.get(lookup or "exact")
    if compare is None:
        return _unknown
    right = _operand(model, child[1], columns)
    return lambda values: _compared(compare, left(values), right(values))


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN or left is None or right is None:
        return None
    try:
        return bool(compare(left, right))
    except TypeError:  # a value of another kind, which is a fault by itself
        return None


def _operand(model: type[models.Model], given: Any, columns: set[str]) -> Evaluate:
    """Return what yields the value of a column, of a sum of columns, or a constant."""
    if isinstance(given, F):
        names = {name: field.attname for field in model._meta.concrete_fields for name in (field.name, field.attname)}
        column = names.get(given.name)  # type: ignore[attr-defined]  # the stubs lack it
        if column is None:
            return _unknown_value
        columns.add(column)
        return lambda values: values.get(column, UNKNOWN)
    if isinstance(given, CombinedExpression):
        left, right = (_operand(model, side, columns) for side in (given.lhs, given.rhs))
        act = ARITHMETIC.get(given.connector)
        return _unknown_value if act is None else lambda values: _combined(act, left(values), right(values))
    if isinstance(given, Value):
        given = given.value
    elif hasattr(given, "resolve_expression"):
        return _unknown_value
    return lambda values: given


def _combined(act: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if left is None or right is None:
        return None
    try:
        return act(left, right)
    except TypeError:
        return UNKNOWN


def _unknown(values: Values) -> Any:
    return None


def _unknown_value(values: Values) -> Any:
    return UNKNOWN
