"""What a queryset adds to its rows as JSON objects: the rows of other tables that belong to each, shown by a reader.

A queryset adds one object as a `Subquery`, several as an `ArraySubquery`, of rows whose only value is a `JSONObject`.
The reader shows what is under the names of the object. That is JSON already, so it is spelt as PostgreSQL spells it.
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, Expression, Func, QuerySet, Subquery, TextField, When
from django.db.models.functions import Cast, Coalesce, JSONObject
from rest_framework import serializers

from core.api.compiled.columns import NotCompiledError, plain
from core.api.compiled.fields import is_plain, named, spelling
from core.api.compiled.texts import Escaped, Part, Verbatim, joined

SHOWN = "shown"
NULL = Verbatim("null")


class Together(Func):
    """The texts of an array as a JSON array."""

    template = "concat('[', array_to_string(%(expressions)s, ','), ']')"
    output_field = TextField()


def is_added(field: Any, added: Any) -> bool:
    """Say whether a nested reader shows rows that the queryset has added."""
    return isinstance(field, serializers.BaseSerializer) and isinstance(added, Subquery)


def shown_of_added(field: Any, added: Any) -> Expression:
    """Return the JSON of what a nested reader shows; raise `NotCompiledError` where that is beyond SQL."""
    is_list = type(field) is serializers.ListSerializer
    if type(added) is not (ArraySubquery if is_list else Subquery):
        raise NotCompiledError("the queryset adds something else")
    query: Any = added.query.clone()
    selected = list(query.annotation_select.values())
    if len(selected) != 1 or query.select:
        raise NotCompiledError("what is added is more than one object")
    text = joined(_object(field.child if is_list else field, selected[0]))
    rows: Any = QuerySet(query.model, query=query).values(**{SHOWN: text})
    if is_list:
        return Together(ArraySubquery(rows))
    if not field.allow_null:
        raise NotCompiledError("nobody says what it is where there is none")
    return Coalesce(Subquery(rows), NULL, output_field=TextField())


def _object(reader: Any, made: Any) -> list[Part]:
    """Return the object that a reader makes of an object in JSON."""
    if type(reader).to_representation is not serializers.Serializer.to_representation:
        raise NotCompiledError(f"{type(reader).__name__} shows rows in its own way")
    if not isinstance(made, JSONObject):
        raise NotCompiledError("what is added is no object")
    expressions = made.get_source_expressions()
    members = {key.value: value for key, value in zip(expressions[::2], expressions[1::2], strict=True)}
    parts: list[Part] = ["{"]
    for name, field in reader.fields.items():
        if field.write_only:
            continue
        if field.source not in members or not is_plain(field):
            raise NotCompiledError(f"{name} is no member of what is added")
        parts += ["," if len(parts) > 1 else "", *named(name, _member(field, members[field.source]))]
    return [*parts, "}"]


def _member(field: Any, value: Any) -> Expression:
    if isinstance(field, serializers.Serializer):
        return _nested(field, value)
    kind = plain(value.output_field)
    if type(field).to_representation is serializers.TimeField.to_representation and type(kind) is models.TimeField:
        return Escaped(value)  # a text by then, which the field lets be
    if type(field) is serializers.DecimalField and isinstance(value, Cast):
        (value,) = value.get_source_expressions()
        kind = plain(value.output_field)
    return spelling(field, kind)(value)


def _nested(reader: Any, value: Any) -> Expression:
    if isinstance(value, JSONObject):
        return joined(_object(reader, value))
    is_choice = isinstance(value, Case) and len(value.cases) == 1 and getattr(value.default, "value", "") is None
    if not is_choice or not reader.allow_null:
        raise NotCompiledError("what is added is no object")
    (found,) = value.cases
    shown = joined(_object(reader, found.result))
    return Case(When(found.condition, then=shown), default=NULL, output_field=TextField())
