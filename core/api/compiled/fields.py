"""What a field of a reader shows of a column, as JSON text.

Only what is listed here is compiled, and only over the kinds of columns named beside it: a field with a representation
of its own, or a column whose values Python changes when it reads them, is left to the serializer.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Expression
from rest_framework import ISO_8601, serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from core.api.compiled.columns import NotCompiledError, Place, plain
from core.api.compiled.texts import Address, Day, Digits, Escaped, Instant, Listed, Made, Part, Plain, TimeOfDay, where
from core.api.fields import MadeField
from core.api.renderers import dumps

TEXTS = (models.CharField, models.TextField)


def shown(field: Any, place: Place) -> Expression:
    """Return the JSON of what a field shows of a row; raise `NotCompiledError` where that is beyond SQL."""
    if not is_plain(field):
        raise NotCompiledError("it finds its value in its own way")
    *way, name = field.source.split(".")
    # Whether the row itself is there was asked by whoever shows it.
    place = replace(place, gap=None)
    if way and name in ("lower", "upper"):
        row = across(place, way[:-1])
        column, kind = row.bound(way[-1], name)
    else:
        row = across(place, way)
        column, kind = row.column(name)
    text = spelling(field, kind)(column)
    return text if row.gap is None else _over_gap(field, row, text)


def is_plain(field: Any) -> bool:
    """Say whether a field finds its value as all do: under its source."""
    return type(field).get_attribute in _PLAIN_ATTRIBUTES


def across(place: Place, way: list[str]) -> Place:
    """Return the row at the end of a way."""
    for name in way:
        place = place.step(name)
    return place


def _over_gap(field: Any, row: Place, text: Expression) -> Expression:
    """Return what a field shows of a row that may be missing."""
    if field.default is not empty:
        if callable(field.default):
            raise NotCompiledError("its default is computed")
        return where(row.is_there(), [text], dumps(field.default).decode())
    if not field.allow_null:
        raise NotCompiledError("nobody says what it is where a row on its way is missing")
    return where(row.is_there(), [text])


def spelling(field: Any, kind: Any) -> Callable[[Any], Expression]:
    """Return what makes JSON of a column's values as the field does."""
    if isinstance(field, serializers.ModelField):
        return _native(plain(field.model_field))
    if hasattr(kind, "from_db_value") and not isinstance(kind, ArrayField):
        raise NotCompiledError("its values are made in Python")
    for bases, kinds, make, is_usual in _SPELLINGS:
        if type(field).to_representation in bases and isinstance(kind, kinds) and is_usual(field, kind):
            return make
    raise NotCompiledError(f"{type(field).__name__} over {type(kind).__name__}")


def _native(kind: Any) -> Callable[[Any], Expression]:
    if type(kind) is models.DateField:
        return Day
    raise NotCompiledError(f"a generated {type(kind).__name__}")


def _always(field: Any, kind: Any) -> bool:
    return True


def _is_exact(field: Any, kind: Any) -> bool:
    is_text = getattr(field, "coerce_to_string", api_settings.COERCE_DECIMAL_TO_STRING)
    as_it_is = not (field.localize or field.normalize_output)
    return bool(is_text and as_it_is and field.decimal_places == kind.decimal_places)


def _is_number(field: Any, kind: Any) -> bool:
    return not getattr(field, "coerce_to_string", api_settings.COERCE_BIGINT_TO_STRING)


def _in_format(setting: str, usual: Any) -> Callable[[Any, Any], bool]:
    def is_usual(field: Any, kind: Any) -> bool:
        return bool(getattr(field, "format", getattr(api_settings, setting)) == usual)

    return is_usual


def _names_texts(field: Any, kind: Any) -> bool:
    return all(isinstance(choice, str) for choice in field.choices)


def _lists_texts(field: Any, kind: Any) -> bool:
    of_texts = isinstance(kind.base_field, TEXTS) and not hasattr(kind.base_field, "from_db_value")
    return of_texts and type(field.child).to_representation in (
        serializers.CharField.to_representation,
        serializers.ChoiceField.to_representation,
    )


def _of(*classes: Any) -> frozenset[Any]:
    return frozenset(each.to_representation for each in classes)


_PLAIN_ATTRIBUTES = frozenset(
    each.get_attribute for each in (serializers.Field, serializers.PrimaryKeyRelatedField, serializers.ModelField)
)
# The representations, the columns, what makes the text of them, and when it does.
_SPELLINGS: list[tuple[frozenset[Any], Any, Callable[[Any], Expression], Callable[[Any, Any], bool]]] = [
    (_of(serializers.UUIDField), models.UUIDField, Plain, lambda field, kind: field.uuid_format == "hex_verbose"),
    (_of(serializers.PrimaryKeyRelatedField), models.UUIDField, Plain, lambda field, kind: field.pk_field is None),
    (_of(serializers.CharField), TEXTS, Escaped, _always),
    (_of(serializers.CharField), models.GenericIPAddressField, Address, _always),
    (_of(serializers.ChoiceField), TEXTS, Escaped, _names_texts),
    (_of(serializers.IntegerField), models.IntegerField, Digits, _always),
    (_of(serializers.BigIntegerField), models.IntegerField, Digits, _is_number),
    (_of(serializers.BooleanField), models.BooleanField, Digits, _always),
    (_of(serializers.DecimalField), models.DecimalField, Plain, _is_exact),
    (_of(serializers.DateTimeField), models.DateTimeField, Instant, _in_format("DATETIME_FORMAT", None)),
    (_of(serializers.DateField), models.DateField, Day, _in_format("DATE_FORMAT", ISO_8601)),
    (_of(serializers.TimeField), models.TimeField, TimeOfDay, _in_format("TIME_FORMAT", ISO_8601)),
    (_of(serializers.ListField), ArrayField, Listed, _lists_texts),
    (_of(MadeField), TEXTS, Made, _always),
]


def named(name: str, value: Part) -> list[Part]:
    """Return a member of an object, without the comma before it."""
    return [f"{dumps(name).decode()}:", value]
