"""What a query parameter may hold: one class for each type of value, strict and documented.

They stand on django-filter, which applies them to querysets, but they read values themselves: its
form fields ignore values they cannot read, or let through what a column cannot be compared with.
A parameter occurs once; one that takes several values (`many=True`) separates them by commas.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.utils.choices import flatten_choices, normalize_choices
from django_filters import Filter

from core.errors import InvalidError
from core.visibility import visible

Schema = dict[str, Any]

MAX_VALUES = 200
MAX_LENGTH = 200
MAX_INTEGER = 2**63 - 1
DESCRIPTIONS = {
    "gt": "Greater than this.",
    "gte": "This or greater.",
    "lt": "Less than this.",
    "lte": "This or less.",
    "isnull": "Whether there is no value.",
}


class InvalidParameterError(InvalidError):
    """A query parameter holds something else than it takes."""

    code = "invalid_parameter"
    title = "The value of this parameter cannot be read."


class InvalidParameterChoiceError(InvalidError):
    """A query parameter holds none of its choices."""

    code = "invalid_choice"
    title = "The value is not one of the choices."


class TooManyValuesError(InvalidError):
    """A query parameter lists more values than one request may name."""

    code = "too_many_values"
    title = f"At most {MAX_VALUES} values are taken."


class StrictFilter(Filter):  # type: ignore[misc]  # django-filter is untyped
    """A parameter of one value, or with `many` of up to 200 of which a row has one.

    `field_name` is the ORM path that is compared (the parameter's own name if not given),
    `lookup_expr` how, and `method` the name of a filterset's method that does it instead.
    """

    expectation: ClassVar[str] = "a value"

    def __init__(
        self,
        field_name: str | None = None,
        lookup_expr: str | None = None,
        *,
        many: bool = False,
        help_text: str = "",
        **options: Any,
    ) -> None:
        if lookup_expr is not None and lookup_expr.endswith("regex"):
            raise TypeError("A caller's regular expression may take for ever.")
        super().__init__(field_name, lookup_expr or ("in" if many else "exact"), **options)
        self.many = many
        self.help_text = help_text

    def read(self, text: str) -> Any:
        """Return what the parameter's text means; raise an `InvalidError` when it means nothing."""
        if not self.many:
            return self.parse(text)
        parts = text.split(",", MAX_VALUES)
        if len(parts) > MAX_VALUES:
            raise TooManyValuesError
        return [self.parse(part) for part in parts]

    def parse(self, text: str) -> Any:
        raise self.unreadable()

    def unreadable(self) -> InvalidError:
        return InvalidParameterError(f"Expected {self.expectation}.")

    def schema(self) -> Schema:
        """Describe one value in JSON Schema."""
        return {"type": "string"}

    def parameter(self, name: str) -> Schema:
        """Describe the parameter in OpenAPI."""
        found: Schema = {"name": name, "in": "query", "schema": self.schema()}
        description = self.help_text or DESCRIPTIONS.get(self.lookup_expr.rpartition("__")[2], "")
        if self.many:
            found |= {"style": "form", "explode": False}
            found["schema"] = {"type": "array", "items": self.schema(), "minItems": 1, "maxItems": MAX_VALUES}
            description = description or "One of these, separated by commas."
        if description:
            found["description"] = description
        return found


class CharFilter(StrictFilter):
    """A text, compared as it stands."""

    expectation = f"a text of 1 to {MAX_LENGTH} characters"

    def parse(self, text: str) -> str:
        if not 0 < len(text) <= MAX_LENGTH or "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self.unreadable()
        return text

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}


class UUIDFilter(StrictFilter):
    """An id. On a foreign key, name its column (`field_name="parent_id"`), which needs no look at the other table."""

    expectation = "a UUID"
    FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

    def parse(self, text: str) -> UUID:
        if not self.FORM.fullmatch(text):
            raise self.unreadable()
        return UUID(text)

    def schema(self) -> Schema:
        return {"type": "string", "format": "uuid"}


class ModelChoiceFilter(UUIDFilter):
    """The id of a related row; one out of the caller's sight finds as little as a missing one."""

    def __init__(self, field_name: str | None = None, *, queryset: models.QuerySet[Any], **options: Any) -> None:
        super().__init__(field_name, **options)
        self.queryset = queryset

    def filter(self, queryset: models.QuerySet[Any], value: Any) -> models.QuerySet[Any]:
        named = self.queryset.filter(pk__in=value if self.many else [value])
        return queryset.filter(**{f"{self.field_name}__in": visible(named, self.parent.request.user).values("pk")})


class BooleanFilter(StrictFilter):
    """`true` or `false`."""

    expectation = "true or false"

    def parse(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise self.unreadable()
        return text == "true"

    def schema(self) -> Schema:
        return {"type": "boolean"}


class IntegerFilter(StrictFilter):
    """A whole number of 64 bits."""

    expectation = "a whole number"
    FORM = re.compile(r"-?[0-9]{1,19}", re.ASCII)

    def parse(self, text: str) -> int:
        if not self.FORM.fullmatch(text) or abs(number := int(text)) > MAX_INTEGER:
            raise self.unreadable()
        return number

    def schema(self) -> Schema:
        return {"type": "integer", "format": "int64"}


class NumberFilter(StrictFilter):
    """A decimal number of up to 20 digits before the point and 10 after."""

    expectation = "a decimal number"
    FORM = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?", re.ASCII)

    def parse(self, text: str) -> Decimal:
        if not self.FORM.fullmatch(text):
            raise self.unreadable()
        return Decimal(text)

    def schema(self) -> Schema:
        return {"type": "string", "format": "decimal", "pattern": f"^{self.FORM.pattern}$"}


class DateFilter(StrictFilter):
    """A date."""

    expectation = "a date as YYYY-MM-DD"
    FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

    def parse(self, text: str) -> date:
        if not self.FORM.fullmatch(text):
            raise self.unreadable()
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.unreadable() from None

    def schema(self) -> Schema:
        return {"type": "string", "format": "date"}


class DateTimeFilter(StrictFilter):
    """An instant, with its offset from UTC."""

    expectation = "an instant as RFC 3339 writes it, such as 2026-03-02T09:00:00Z (a + is %2B in a URL)"
    FORM = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
    )

    def parse(self, text: str) -> datetime:
        if not self.FORM.fullmatch(text.upper()):
            raise self.unreadable()
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.unreadable() from None

    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time"}


class ChoiceFilter(StrictFilter):
    """One of `choices` (an enumeration or what a model field takes)."""

    def __init__(self, field_name: str | None = None, *, choices: Any, **options: Any) -> None:
        super().__init__(field_name, **options)
        self.values = {str(value): value for value, _ in flatten_choices(normalize_choices(choices)) if value != ""}

    def parse(self, text: str) -> Any:
        if text not in self.values:
            raise InvalidParameterChoiceError(f"Expected one of: {', '.join(self.values)}.")
        return self.values[text]

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.values)}


class MultipleChoiceFilter(ChoiceFilter):
    """Any of `choices`, separated by commas."""

    def __init__(self, field_name: str | None = None, *, choices: Any, **options: Any) -> None:
        super().__init__(field_name, choices=choices, many=True, **options)


_TYPES: list[tuple[type[Any], type[StrictFilter]]] = [
    (models.BooleanField, BooleanFilter),
    (models.UUIDField, UUIDFilter),
    (models.ForeignKey, UUIDFilter),
    (models.DateTimeField, DateTimeFilter),
    (models.DateField, DateFilter),
    (models.DecimalField, NumberFilter),
    (models.IntegerField, IntegerFilter),
    (models.CharField, CharFilter),
    (models.TextField, CharFilter),
]


def filter_for(field: "models.Field[Any, Any]") -> StrictFilter:
    """Return the filter by which a model field equals a parameter."""
    if field.choices:
        return ChoiceFilter(field.attname, choices=field.choices)
    for kind, strict in _TYPES:
        if isinstance(field, kind):
            return strict(field.attname)
    raise TypeError(f"{field} needs a filter of its own.")
