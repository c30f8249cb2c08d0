"""Example values made from their schema: plain, constant, and valid by construction."""

import re
from collections.abc import Callable
from typing import Any

from core.api.schema_components import EXAMPLE_TIME

Schema = dict[str, Any]

MAX_DEPTH = 12
_BY_FORMAT = {
    "uuid": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44",
    "date": "2026-03-02",
    "date-time": EXAMPLE_TIME,
    "time-local": "09:00:00",
    "duration": "PT1H30M",
    "email": "ada@campushub360.example",
    "uri": "https://campushub360.example/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_DECIMALS = ("12.50", "1.50", "1.5", "1", "0.5")
_TEXTS = ("text", "A", "1", "12", "1.0", "AB1", "ABC", "A-1", "+15550100", "a_name", "00000", "#000000")


class _UnknownError(ValueError):
    """No example is known for a schema."""


def example_of(schema: Schema, components: Schema) -> Any:
    """Return a value that the schema accepts, or None when none is known."""
    try:
        return _value(schema, components, 0)
    except _UnknownError:
        return None


def _value(schema: Schema, components: Schema, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _UnknownError
    if "$ref" in schema:
        return _value(components[schema["$ref"].rpartition("/")[2]], components, depth + 1)
    given = [schema[key] for key in ("const", "example", "default") if key in schema]
    given += schema.get("examples", [])[:1] + schema.get("enum", [])[:1]
    if given:
        return given[0]
    if "allOf" in schema:
        return _combined(schema["allOf"], components, depth)
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in schema:
            return _value(schema[alternatives][0], components, depth + 1)
    return _plain(schema, components, depth)


def _combined(schemas: list[Schema], components: Schema, depth: int) -> Any:
    values = [_value(part, components, depth + 1) for part in schemas]
    if all(isinstance(value, dict) for value in values):
        return {key: inner for value in values for key, inner in value.items()}
    return values[0]


def _plain(schema: Schema, components: Schema, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((single for single in kind if single != "null"), "null")
    makers: dict[Any, Callable[[], Any]] = {
        "object": lambda: _object(schema, components, depth),
        "array": lambda: (
            [] if schema.get("maxItems") == 0 else [_value(schema.get("items", {}), components, depth + 1)]
        ),
        "string": lambda: _text(schema),
        "integer": lambda: _number(schema),
        "number": lambda: _number(schema),
        "boolean": lambda: True,
        "null": lambda: None,
    }
    return makers[kind]() if kind in makers else {}


def _object(schema: Schema, components: Schema, depth: int) -> Schema:
    required = set(schema.get("required", ()))
    result = {}
    for name, inner in schema.get("properties", {}).items():
        try:
            result[name] = _value(inner, components, depth + 1)
        except _UnknownError:
            if name in required:
                raise
    if "meta" not in required and result.get("meta") == {}:
        del result["meta"]  # an envelope with nothing more to say has none
    return result


def _text(schema: Schema) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    form = schema.get("format")
    usual = _DECIMALS if form == "decimal" else _TEXTS
    candidates = [_BY_FORMAT[form]] if form in _BY_FORMAT else list(usual)
    for candidate in [*candidates, "x" * int(max(least, 1))]:
        fits = len(candidate) >= least and (most is None or len(candidate) <= most)
        if fits and _matches(schema.get("pattern"), candidate):
            return candidate
    raise _UnknownError


def _matches(pattern: str | None, candidate: str) -> bool:
    if pattern is None:
        return True
    try:
        return re.search(pattern, candidate) is not None
    except re.error:  # written for ECMAScript, which has more to it than Python
        return False


def _number(schema: Schema) -> int | float:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is not None and least >= 1:
        return int(least) if "exclusiveMinimum" not in schema else int(least) + 1
    if most is not None and most < 1:
        return int(most) if "exclusiveMaximum" not in schema else int(most) - 1
    return 1
