"""The eleven types: what each accepts, and the one form in which it is stored.

A type parses any JSON value into its canonical form or raises an `InvalidError`; nothing else can
come out of it. Canonical forms are what JSONB holds, so equal values are stored equally:

    text, textarea   the text as given, at most 1,000 characters on one line, or 10,000
    number           a JSON number, exact: up to 20 digits before the point and 10 after
    date             "YYYY-MM-DD"
    email            lower case
    phone            "+" and digits, or digits alone, without separators
    url              http or https, as given
    select           the value of a choice
    multiselect      distinct values of choices, in the order of the choices
    boolean          true or false
    file             the id of a stored file

The API shows numbers as strings, like every decimal. What a definition demands beyond its type
(bounds, expression, choices) is checked in `core.customfields.rules`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator

from core.customfields.errors import (
    AboveMaximumError,
    DuplicateChoiceError,
    InvalidFormatError,
    UnstorableTextError,
    WrongTypeError,
)
from core.models import CustomField, CustomFieldType

MAX_LENGTH = {
    CustomFieldType.TEXT: 1_000,
    CustomFieldType.TEXTAREA: 10_000,
    CustomFieldType.EMAIL: 254,
    CustomFieldType.PHONE: 40,
    CustomFieldType.URL: 2_000,
}
MAX_CHOICES = 500
MAX_DIGITS = 20
NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,10})?", re.ASCII)
NUMBER_RULE = "A number has at most 20 digits before the point and 10 after it."
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
PHONE = re.compile(r"\+?[0-9]{4,15}", re.ASCII)
PHONE_SEPARATORS = str.maketrans("", "", " -.()/\u00a0")
LIST_SEPARATOR = ";"
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

is_email = EmailValidator()
is_web_address = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True)
class FieldType:
    """How one type reads a value, and which options of a definition mean something to it."""

    parse: Callable[[CustomField, Any], Any]
    bounds: Literal["number", "length", "date"] | None = None
    has_pattern: bool = False
    can_be_unique: bool = True
    is_searchable: bool = False
    has_default: bool = True


def text(definition: CustomField, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongTypeError("A text is expected.")
    if not is_storable(value):
        raise UnstorableTextError
    longest = MAX_LENGTH[CustomFieldType(definition.field_type)]
    if len(value) > longest:
        raise AboveMaximumError(f"The text may have at most {longest} characters.", meta={"max_length": longest})
    return value


def is_storable(value: str) -> bool:
    """Say whether PostgreSQL can store the text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value


def single_line(definition: CustomField, value: Any) -> str:
    line = text(definition, value)
    # A browser's text box drops line breaks, so an edit of anything else would change the value.
    if "\n" in line or "\r" in line:
        raise InvalidFormatError("The text has to fit on one line.")
    return line


def number(definition: CustomField, value: Any) -> Decimal:
    """Read a number without rounding; trailing zeros carry no meaning and are dropped."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise WrongTypeError("A number is expected.")
    if not isinstance(value, str):
        value = _digits(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    if not NUMBER.fullmatch(value):
        raise InvalidFormatError(NUMBER_RULE)
    return Decimal(_without_zeros(value)) or Decimal(0)


def _digits(exact: Decimal) -> str:
    """Write a number out in full, refusing what would take more than a few dozen digits."""
    if not exact.is_finite() or exact.adjusted() >= MAX_DIGITS or int(exact.as_tuple().exponent) < -2 * MAX_DIGITS:
        raise InvalidFormatError(NUMBER_RULE)
    return _without_zeros(format(exact, "f"))


def _without_zeros(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def calendar_date(definition: CustomField, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise WrongTypeError("A date is expected, as a text YYYY-MM-DD.")
    if not DATE.fullmatch(value):
        raise InvalidFormatError("A date is written YYYY-MM-DD.")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise InvalidFormatError("There is no such day.") from None


def email(definition: CustomField, value: Any) -> str:
    address = text(definition, value)
    try:
        is_email(address)
    except ValidationError:
        raise InvalidFormatError("This is not an e-mail address.") from None
    return address.lower()


def phone(definition: CustomField, value: Any) -> str:
    digits = text(definition, value).translate(PHONE_SEPARATORS)
    if not PHONE.fullmatch(digits):
        raise InvalidFormatError("A phone number has 4 to 15 digits, with or without a leading +.")
    return digits


def web_address(definition: CustomField, value: Any) -> str:
    address = text(definition, value)
    try:
        is_web_address(address)
    except ValidationError:
        raise InvalidFormatError("This is not an http or https address.") from None
    return address


def choice(definition: CustomField, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongTypeError("A choice is expected, as a text.")
    if not is_storable(value):
        raise UnstorableTextError
    return value


def choices(definition: CustomField, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise WrongTypeError("A list of choices is expected.")
    if len(value) > MAX_CHOICES:
        raise AboveMaximumError(f"There are at most {MAX_CHOICES} choices.")
    chosen = {choice(definition, single) for single in value}
    if len(chosen) < len(value):
        raise DuplicateChoiceError
    places = {known["value"]: place for place, known in enumerate(definition.choices)}
    return sorted(chosen, key=lambda single: (places.get(single, MAX_CHOICES), single))


def boolean(definition: CustomField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongTypeError("True or false is expected.")
    return value


def file(definition: CustomField, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongTypeError("The id of a file is expected, as a text.")
    try:
        return str(UUID(value))
    except ValueError:
        raise InvalidFormatError("This is not the id of a file.") from None


TYPES: dict[str, FieldType] = {
    CustomFieldType.TEXT: FieldType(single_line, bounds="length", has_pattern=True, is_searchable=True),
    CustomFieldType.TEXTAREA: FieldType(text, bounds="length", has_pattern=True, is_searchable=True),
    CustomFieldType.NUMBER: FieldType(number, bounds="number", is_searchable=True),
    CustomFieldType.DATE: FieldType(calendar_date, bounds="date"),
    CustomFieldType.EMAIL: FieldType(email, has_pattern=True, is_searchable=True),
    CustomFieldType.PHONE: FieldType(phone, has_pattern=True, is_searchable=True),
    CustomFieldType.URL: FieldType(web_address, has_pattern=True, is_searchable=True),
    CustomFieldType.SELECT: FieldType(choice, is_searchable=True),
    CustomFieldType.MULTISELECT: FieldType(choices, can_be_unique=False),
    CustomFieldType.BOOLEAN: FieldType(boolean, can_be_unique=False),
    CustomFieldType.FILE: FieldType(file, has_default=False),
}


def parsed(definition: CustomField, value: Any) -> Any:
    """Return the canonical form of a JSON value, None for an empty one; raise an `InvalidError`."""
    is_list = definition.field_type == CustomFieldType.MULTISELECT
    if value is None or value == "" or (is_list and value in ([], ())):
        return None
    return TYPES[definition.field_type].parse(definition, value)


def read(definition: CustomField, written: str, *, separator: str = LIST_SEPARATOR) -> Any:
    """Return the JSON value that a text stands for, in a query parameter or a cell of a table.

    `parsed` decides whether it is a value of the field.
    """
    if definition.field_type == CustomFieldType.BOOLEAN:
        return BOOLEANS.get(written.strip().lower(), written)
    if definition.field_type == CustomFieldType.MULTISELECT:
        if any(written == choice["value"] for choice in definition.choices):
            return [written]  # a choice may contain the separator
        return [single.strip() for single in written.split(separator) if single.strip()]
    return written
