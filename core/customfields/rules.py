"""What a definition demands of a value beyond its type: bounds, expression, choices, a file."""

from typing import Any
from uuid import UUID

from core.customfields.errors import (
    AboveMaximumError,
    BelowMinimumError,
    InvalidChoiceError,
    PatternMismatchError,
)
from core.customfields.files import require_file
from core.customfields.patterns import matches
from core.customfields.types import TYPES
from core.models import CustomField, CustomFieldType
from core.visibility import Actor


def check(definition: CustomField, value: Any, actor: Actor | None = None) -> None:
    """Raise an `InvalidError` unless the canonical `value` obeys the definition."""
    field_type = TYPES[definition.field_type]
    if field_type.bounds == "length":
        _within(len(value), _whole(definition.min_value), _whole(definition.max_value), "characters")
    elif field_type.bounds == "number":
        _within(value, definition.min_value, definition.max_value)
    elif field_type.bounds == "date":
        # ISO dates order as texts do.
        _within(value, _iso(definition.min_date), _iso(definition.max_date))
    if field_type.has_pattern and definition.validation_regex and not matches(definition.validation_regex, value):
        raise PatternMismatchError(meta={"pattern": definition.validation_regex})
    check_choices(definition, value)
    if definition.field_type == CustomFieldType.FILE:
        require_file(UUID(value), actor)


def check_choices(definition: CustomField, value: Any) -> None:
    """Raise `InvalidChoiceError` when a selection holds what is not among the choices."""
    if definition.field_type == CustomFieldType.SELECT:
        value = [value]
    elif definition.field_type != CustomFieldType.MULTISELECT:
        return
    known = [choice["value"] for choice in definition.choices]
    if not set(value) <= set(known):
        raise InvalidChoiceError(meta={"choices": known})


def _within(value: Any, least: Any, greatest: Any, unit: str = "") -> None:
    if least is not None and value < least:
        raise BelowMinimumError(f"The minimum is {least} {unit}".rstrip() + ".", meta={"min": str(least)})
    if greatest is not None and value > greatest:
        raise AboveMaximumError(f"The maximum is {greatest} {unit}".rstrip() + ".", meta={"max": str(greatest)})


def _whole(bound: Any) -> int | None:
    return None if bound is None else int(bound)


def _iso(bound: Any) -> str | None:
    return None if bound is None else str(bound)
