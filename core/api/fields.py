"""Serializer fields that take JSON for what it says, and that refuse to name what the caller cannot see."""

import re
from collections.abc import Collection
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.fields import empty

from core.together import once
from core.visibility import Sight, visible

LENGTH_OF_ID = 36


class VisibleRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A foreign key in a request body: an invisible row answers exactly like a missing one.

    With `to="manage"` the caller must be able to manage the row it names.
    """

    default_error_messages = {
        "does_not_exist": "There is no such row.",
        "incorrect_type": "Expected an id as a string.",
    }

    def __init__(self, *, to: Sight = "view", **options: Any) -> None:
        self.sight = to
        options.setdefault("pk_field", IdField())
        super().__init__(**options)

    def get_queryset(self) -> QuerySet[Any]:
        queryset = super().get_queryset()
        if queryset is None:
            raise TypeError(f"{self.field_name} names no queryset")
        return visible(queryset, self.context["request"].user, to=self.sight)

    def to_internal_value(self, data: Any) -> Any:
        ask = super().to_internal_value
        return once((self, data.lower()), lambda: ask(data)) if isinstance(data, str) else ask(data)

    def foresee(self, ids: Collection[UUID]) -> None:
        """Read the rows that many bodies are about to name, where what is read is remembered."""
        for row in self.get_queryset().filter(pk__in=ids) if ids else ():
            once((self, str(row.pk)), partial(_itself, row))

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


class MadeField(serializers.Field[Any, Any, Any, Any]):
    """What the database has made as JSON: a text until it is shown."""

    def to_representation(self, value: str) -> Any:
        return orjson.loads(value)


def _itself(row: Any) -> Any:
    return row


class IdField(serializers.UUIDField):
    """An id as answers write it: a string of 36 characters, and none of the other spellings of a UUID."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) != LENGTH_OF_ID:
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class _Text(serializers.CharField):
    """A string; a number is none, however it might be spelled.

    It is kept as sent. Where white space around it could only be a slip, it is refused: taken off, the text would not
    be what was sent; kept, two codes could look the same.
    """

    default_error_messages = {"surrounding_space": "Ensure there is no space before or after the text."}

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str) and self.trim_whitespace:
            bare = data.strip()
            if bare != data and (bare or self.allow_blank):
                self.fail("surrounding_space")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(_Text):
    """A string as sent."""


class AddressField(_Text, serializers.EmailField):
    """An e-mail address as sent."""


class TruthField(serializers.BooleanField):
    """True or false, and no word or number for either."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; digits in a string are a string."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | Decimal) or data != int(data):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD."""

    _SPELLING = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not self._SPELLING.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(data)


class ClockField(serializers.TimeField):
    """A time of day as HH:MM or HH:MM:SS, of no zone: an offset would have to be dropped."""

    _SPELLING = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not self._SPELLING.fullmatch(data):
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """An instant with its offset from UTC; without one, nobody could say which instant is meant."""

    _SPELLING = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not self._SPELLING.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss and Z or an offset such as +01:00")
        return super().to_internal_value(data)


class ExactNumberField(serializers.DecimalField):
    """A decimal as a JSON number, or as a string of ASCII digits as answers write it."""

    _SPELLING = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or (isinstance(data, str) and not self._SPELLING.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


_STRICT: dict[type[serializers.Field[Any, Any, Any, Any]], type[serializers.Field[Any, Any, Any, Any]]] = {
    serializers.CharField: TextField,
    serializers.EmailField: AddressField,
    serializers.BooleanField: TruthField,
    serializers.IntegerField: WholeNumberField,
    serializers.DecimalField: ExactNumberField,
    serializers.DateField: DayField,
    serializers.TimeField: ClockField,
    serializers.DateTimeField: InstantField,
    serializers.UUIDField: IdField,
}


def strictly(field: Any) -> Any:
    """Let a declared field take JSON for what it says; those above differ from the usual ones in nothing else."""
    strict = _STRICT.get(type(field))
    if strict:
        field.__class__ = strict
        field.error_messages = {**strict.default_error_messages, **field.error_messages}
    if isinstance(field, serializers.ListField):
        strictly(field.child)
    return field
