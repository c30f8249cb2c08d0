"""What makes a definition sound: its options fit its type, and its default obeys it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.customfields.errors import (
    BoundsReversedError,
    ChoicesRequiredError,
    InvalidChoicesError,
    InvalidNameError,
    InvalidRegexError,
    NotApplicableError,
    UnknownEntityTypeError,
)
from core.customfields.patterns import compiled
from core.customfields.rules import check
from core.customfields.selectors import customizable_models
from core.customfields.types import MAX_CHOICES, TYPES, FieldType, is_storable, parsed
from core.errors import DomainError, InvalidError
from core.masks import custom_mask_of
from core.models import CustomField
from core.models.custom_field import CHOICE_TYPES, is_name

MAX_CHOICE_LENGTH = 100


def normalised_choices(choices: Any) -> list[dict[str, str]]:
    """Return choices as a list of distinct `{"value", "label"}`; a bare text is both.

    Raises `InvalidChoicesError`.
    """
    if not isinstance(choices, list | tuple) or len(choices) > MAX_CHOICES:
        raise InvalidChoicesError(f"Choices are a list of at most {MAX_CHOICES}.", field="choices")
    pairs = [_pair(choice) for choice in choices]
    if len({pair["value"] for pair in pairs}) < len(pairs):
        raise InvalidChoicesError("Two choices have the same value.", field="choices")
    return pairs


def _pair(choice: Any) -> dict[str, str]:
    if isinstance(choice, str):
        choice = {"value": choice}
    if not isinstance(choice, Mapping) or not {"value"} <= choice.keys() <= {"value", "label"}:
        raise InvalidChoicesError(field="choices")
    value, label = choice["value"], choice.get("label", choice["value"])
    for text in (value, label):
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHOICE_LENGTH or not is_storable(text):
            raise InvalidChoicesError(
                f"Values and labels are texts of at most {MAX_CHOICE_LENGTH} characters.", field="choices"
            )
    return {"value": value, "label": label}


def faults(definition: CustomField) -> list[DomainError]:
    """Return everything that is wrong with a definition whose choices are normalised."""
    errors: list[DomainError] = []
    if definition.entity_type not in customizable_models():
        known = sorted(customizable_models())
        errors.append(UnknownEntityTypeError(field="entity_type", meta={"entity_types": known}))
    if not is_name(definition.name):
        errors.append(InvalidNameError(field="name"))
    field_type = TYPES.get(definition.field_type)
    if field_type is None:
        return [*errors, InvalidError("There is no such type.", field="field_type", code="invalid_choice")]
    options = [*_inapplicable(definition, field_type), *_contradictions(definition)]
    errors += options
    if not options:
        errors += _default_faults(definition)
    return errors


def _inapplicable(definition: CustomField, field_type: FieldType) -> Iterator[DomainError]:
    """Options that mean nothing to the type."""
    has_choices = definition.field_type in CHOICE_TYPES
    options: Iterable[tuple[str, bool, bool]] = [
        ("choices", bool(definition.choices), has_choices),
        ("validation_regex", bool(definition.validation_regex), field_type.has_pattern),
        ("min_value", definition.min_value is not None, field_type.bounds in ("number", "length")),
        ("max_value", definition.max_value is not None, field_type.bounds in ("number", "length")),
        ("min_date", definition.min_date is not None, field_type.bounds == "date"),
        ("max_date", definition.max_date is not None, field_type.bounds == "date"),
        ("unique_values", definition.unique_values, field_type.can_be_unique),
        ("is_searchable", definition.is_searchable, field_type.is_searchable),
        ("default_value", definition.default_value is not None, field_type.has_default),
    ]
    for name, is_set, is_meaningful in options:
        if is_set and not is_meaningful:
            yield NotApplicableError(field=name)
    model = customizable_models().get(definition.entity_type)
    if definition.protected and model is not None and custom_mask_of(model) is None:
        yield NotApplicableError("Nobody may know protected fields of this kind of record.", field="protected")
    if has_choices and not definition.choices:
        yield ChoicesRequiredError(field="choices")
    if field_type.bounds == "length":
        for name in ("min_value", "max_value"):
            bound = getattr(definition, name)
            if bound is not None and (bound < 0 or bound != int(bound)):
                yield NotApplicableError("A length is a whole number from 0.", field=name)


def _contradictions(definition: CustomField) -> Iterator[DomainError]:
    """Options that contradict each other or themselves."""
    for least, greatest in (("min_value", "max_value"), ("min_date", "max_date")):
        low, high = getattr(definition, least), getattr(definition, greatest)
        if low is not None and high is not None and low > high:
            yield BoundsReversedError(field=least)
    if definition.unique_values and definition.default_value is not None:
        yield NotApplicableError("Values that are unique can have no default.", field="default_value")
    if definition.validation_regex:
        try:
            compiled(definition.validation_regex)
        except InvalidRegexError as error:
            yield error.under("validation_regex")


def _default_faults(definition: CustomField) -> Iterator[DomainError]:
    try:
        default = parsed(definition, definition.default_value)
        if default is not None:
            check(definition, default)
    except InvalidError as error:
        yield error.under("default_value")
