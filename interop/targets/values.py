"""The values of a record, in two forms: as JSON, which is compared and remembered, and as Python."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

Kind = Literal["text", "date", "instant", "time", "decimal", "integer", "boolean", "json", "ref", "refs", "shares"]


class UnreadableValueError(Exception):
    """A value cannot be read as what its field holds."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Pending:
    """Stands for the row of a record that comes earlier in the same import and does not exist yet."""

    def __repr__(self) -> str:
        return "pending"


PENDING = Pending()
# More than any column has, before the point or after it.
MOST_DIGITS = 100


@dataclass(frozen=True, slots=True)
class Value:
    """One field that an import can write.

    `path` leads from the row to the attribute that holds it; `to` is the resource a reference is of.
    "refs" is a list of references, "shares" one of `{"faculty": reference, "role"?, "share"?}`. A
    `fixed` field is written when the row is created and never again.
    """

    name: str
    kind: Kind = "text"
    path: str = ""
    to: str = ""
    fixed: bool = False

    def held_by(self, row: Any) -> Any:
        """Return what a row holds, as Python."""
        *steps, last = (self.path or (f"{self.name}_id" if self.kind == "ref" else self.name)).split(".")
        for step in steps:
            row = getattr(row, step)
        return getattr(row, last)

    def parse(self, given: Any) -> Any:
        """Return the Python form of a JSON value; raise `UnreadableValueError`."""
        if given is None or self.kind in ("json", "ref", "refs", "shares"):
            return given
        parser, expected = PARSERS[self.kind]
        try:
            return parser(given)
        except (ValueError, TypeError, ArithmeticError):
            raise UnreadableValueError(expected) from None


def encode(value: Any) -> Any:
    """Return the JSON form of a Python value; equal values have equal forms."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {name: encode(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [encode(inner) for inner in value]
    return ENCODERS[type(value)](value)


ENCODERS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: format(value.normalize(), "f"),
    datetime: lambda value: value.astimezone(UTC).isoformat(),
    date: date.isoformat,
    time: lambda value: value.isoformat("minutes"),
    UUID: str,
    Pending: lambda value: {"pending": True},
}


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("not a text")  # noqa: TRY004 - one kind of error for whatever cannot be read
    return given


def _instant(given: Any) -> datetime:
    moment = datetime.fromisoformat(given)
    # Whose first or last day is another one in UTC has none there.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _decimal(given: Any) -> Decimal:
    number = Decimal(str(given).strip())
    # 9E+999999 is eight characters here and a million where it is written out.
    if not number.is_finite() or number.adjusted() > MOST_DIGITS or int(number.as_tuple().exponent) < -MOST_DIGITS:
        raise InvalidOperation
    return number


def _integer(given: Any) -> int:
    number = _decimal(given)
    if number != number.to_integral_value() or abs(number) > 2**31:
        raise ValueError("not a whole number")
    return int(number)


def _boolean(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - as above
    return given


PARSERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "text": (_text, "A text is expected."),
    "date": (date.fromisoformat, "A date is written YYYY-MM-DD."),
    "instant": (_instant, "An instant is written as in ISO 8601."),
    "time": (time.fromisoformat, "A time of day is written HH:MM."),
    "decimal": (_decimal, "This is not a number."),
    "integer": (_integer, "This is not a whole number."),
    "boolean": (_boolean, "The value is neither true nor false."),
}
