"""A reader compiled: one expression that makes the JSON of a row as the reader would show it.

It walks the reader's own fields, in their order, so that `?fields=`, `?include=`, masks and protected custom fields
mean here what they mean there. What a row may tell its reader stands in annotations that the queryset carries already
(`core.masks.with_knowledge`); rows that are reached from it carry none, and hide what is masked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Expression, Model, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from rest_framework import serializers

from core.api.compiled.added import is_added, shown_of_added
from core.api.compiled.columns import NotCompiledError, Place
from core.api.compiled.fields import across, named, shown
from core.api.compiled.texts import CustomList, CustomNumber, CustomValue, Part, Verbatim, joined, where
from core.api.serializers import BaseModelSerializer, included_attribute
from core.customfields.api.fields import CustomFieldsField
from core.customfields.selectors import Names
from core.masks import Mask, custom_mask_of
from core.models import CustomFieldType

NULL = Verbatim("null")
# Under which name a queryset carries the JSON of its rows.
JSON = "row_as_json"
# Everything else is shown as it is stored; a type stays what it is while records hold values of it.
_CUSTOM = {CustomFieldType.NUMBER.value: CustomNumber, CustomFieldType.MULTISELECT.value: CustomList}
_SHOWN_PLAINLY = frozenset({BaseModelSerializer.to_representation, serializers.Serializer.to_representation})


@dataclass(frozen=True)
class Context:
    """What a reader is compiled for: who asks decides about masks, definitions about custom fields."""

    names: Callable[[type[Model]], Names]
    # By a reader and the name of what it includes: the rows that may be shown, loaded for their own reader.
    included: Callable[[type[BaseModelSerializer[Any]], str], QuerySet[Any]]


def compiled(reader: Any, rows: QuerySet[Any], context: Context) -> QuerySet[Any]:
    """Return the rows with their JSON; raise `NotCompiledError` for a reader that shows what SQL cannot make."""
    place = Place(rows.model, added=rows.query._filtered_relations)  # type: ignore[attr-defined]  # Django's own
    text = joined(_Compiler(context, rows).row(reader, place))
    found: QuerySet[Any] = rows.annotate(**{JSON: text})
    return found


class _Compiler:
    """Compiles one reader for the rows of one queryset, and what it nests."""

    def __init__(self, context: Context, rows: QuerySet[Any]) -> None:
        self.context = context
        self.rows = rows

    def row(self, reader: Any, place: Place) -> list[Part]:
        """Return the object that a reader makes of a row."""
        if type(reader).to_representation not in _SHOWN_PLAINLY:
            raise NotCompiledError(f"{type(reader).__name__} shows rows in its own way")
        parts: list[Part] = ["{"]
        for name, field in reader.fields.items():
            if field.write_only:
                continue
            parts += ["," if len(parts) > 1 else "", *named(name, self.member(reader, name, field, place))]
        return [*parts, "}"]

    def member(self, reader: Any, name: str, field: Any, place: Place) -> Expression:
        """Return what the reader shows under a name."""
        try:
            mask = getattr(reader, "masked", {}).get(name)
            if mask is None:
                return self.value(name, field, place)
            return self.known(mask, place, lambda: self.value(name, field, place))
        except NotCompiledError as error:
            raise NotCompiledError(f"{type(reader).__name__}.{name}: {error}") from error

    def known(self, mask: Mask | None, place: Place, value: Callable[[], Expression]) -> Expression:
        """Return a value, or null where the row says that whoever asks may not know it."""
        told = None if mask is None or place.prefix else self.rows.query.annotations.get(mask.attribute)
        if mask is None or told is None:
            return NULL
        if isinstance(told, Value):
            return value() if told.value else NULL
        return where(Q(**{mask.attribute: True}), [value()])

    def value(self, name: str, field: Any, place: Place) -> Expression:
        if isinstance(field, CustomFieldsField):
            return self.custom_fields(place)
        if isinstance(field, BaseModelSerializer) and field.source == included_attribute(name):
            return self.included(name, field, place)
        added = None if place.prefix else self.rows.query.annotations.get(field.source)
        if is_added(field, added):
            return shown_of_added(field, added)
        if isinstance(field, serializers.Serializer):
            return self.nested(field, place)
        return shown(field, place)

    def nested(self, reader: Any, place: Place) -> Expression:
        """Return the object of a row that the row refers to, or of a part of the row itself."""
        if reader.source == "*":
            return joined(self.row(reader, place))
        *way, name = reader.source.split(".")
        before = across(Place(place.model, place.prefix, place.added), way)
        if before.gap is not None and (reader.default is not serializers.empty or not reader.allow_null):
            raise NotCompiledError("nobody says what it is where a row on its way is missing")
        row = before.step(name)
        text = joined(self.row(reader, row))
        return text if row.gap is None else where(row.is_there(), [text])

    def included(self, name: str, reader: Any, place: Place) -> Expression:
        """Return the object of a row that the caller included and may see."""
        if place.prefix:
            raise NotCompiledError("it is included by a row that is reached from another")
        foreign_key: Any = place.model._meta.get_field(name)
        rows = self.context.included(type(reader.parent), name)
        inner = compiled(reader, rows.filter(pk=OuterRef(foreign_key.attname)), self.context)
        return Coalesce(Subquery(inner.order_by().values(JSON)), NULL, output_field=TextField())

    def custom_fields(self, place: Place) -> Expression:
        """Return the object of the active custom fields; protected ones null unless the row says otherwise."""
        column, _ = place.column("custom_data")
        parts: list[Part] = ["{"]
        mask = custom_mask_of(place.model)
        for name, kind, is_protected in self.context.names(place.model):
            value: Expression = _CUSTOM.get(kind, CustomValue)(column, Verbatim(name))
            if is_protected:
                value = self.known(mask, place, partial(_itself, value))
            parts += ["," if len(parts) > 1 else "", *named(name, value)]
        return joined([*parts, "}"])


def _itself(value: Expression) -> Expression:
    return value
