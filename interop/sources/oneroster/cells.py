"""What a cell of a OneRoster file may hold, by the kind of its field."""

import re
from collections.abc import Callable, Iterator
from datetime import date

from interop.sources.oneroster.spec import EXTENSION, Field

ID = re.compile(r"[0-9A-Za-z.\-_/@]{1,255}", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
YEAR = re.compile(r"[0-9]{4}", re.ASCII)
INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z", re.ASCII)
TYPED = re.compile(r"\{[^{}:]+:[^{}:]+\}")


def is_date(text: str) -> bool:
    """Say whether the text is a day, written YYYY-MM-DD."""
    if not DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_instant(text: str) -> bool:
    """Say whether the text is an instant in UTC, written YYYY-MM-DDTHH:MM:SS.sssZ."""
    return INSTANT.fullmatch(text) is not None and is_date(text[:10])


RULES: dict[str, tuple[Callable[[str], object], str]] = {
    "id": (ID.fullmatch, "An id has 1 to 255 letters, digits or . - _ / @."),
    "ref": (ID.fullmatch, "An id has 1 to 255 letters, digits or . - _ / @."),
    "date": (is_date, "A date is written YYYY-MM-DD."),
    "year": (YEAR.fullmatch, "A year is written YYYY."),
    "boolean": (lambda text: text in ("true", "false"), "The value is neither true nor false."),
    "integer": (INTEGER.fullmatch, "This is not a whole number."),
    "number": (NUMBER.fullmatch, "This is not a number."),
    "typed": (TYPED.fullmatch, "An item is written {type:value}."),
}


def items(field: Field, cell: str) -> list[str]:
    """Return the items of a cell: several for a list, none for a blank."""
    if not cell:
        return []
    return cell.split(",") if field.many else [cell]


def faults(field: Field, cell: str) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with a cell."""
    if field.required and not cell.strip():
        yield "A value is required."
        return
    if not cell:
        return
    values = items(field, cell)
    if not all(values):
        yield "The list has an empty item."
    elif field.kind == "choice":
        yield from _choice_faults(field, values)
    elif field.kind in RULES:
        obeys, sentence = RULES[field.kind]
        if not all(obeys(value) for value in values):
            yield sentence


def _choice_faults(field: Field, values: list[str]) -> Iterator[str]:
    for value in values:
        if value not in field.choices and not (field.extensible and _is_extension(value)):
            allowed = ", ".join(field.choices) + (f", {EXTENSION}…" if field.extensible else "")
            yield f"The value is not one of: {allowed}."


def _is_extension(value: str) -> bool:
    return value.startswith(EXTENSION) and len(value) > len(EXTENSION)
