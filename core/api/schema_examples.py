"""Example values made from their schema: plain, constant, and valid by construction.

The example of an answer shows everything that may stand in it. That of a request sends what it must
and nothing else, since an optional reference to a row that nobody has would only be refused.
"""

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
# What ends comes after what begins.
_END_BY_FORMAT = {"date": "2026-07-31", "date-time": "2026-07-31T18:00:00Z", "time-local": "10:30:00"}
_DECIMALS = ("12.50", "1.50", "1.5", "1", "0.5")
_TEXTS = ("text", "A", "1", "12", "1.0", "AB1", "ABC", "A-1", "+15550100", "a_name", "00000", "#000000")


class _UnknownError(ValueError):
    """No example is known for a schema."""


def example_of(schema: Schema, components: Schema, *, required_only: bool = False) -> Any:
    """Return a value that the schema accepts, or None when none is known."""
    try:
        return _Maker(components, required_only).value(schema)
    except _UnknownError:
        return None


class _Maker:
    """Makes the values of one example."""

    def __init__(self, components: Schema, required_only: bool) -> None:
        self.components = components
        self.required_only = required_only

    def value(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise _UnknownError
        if "$ref" in schema:
            return self.value(self.components[schema["$ref"].rpartition("/")[2]], name, depth + 1)
        given = [schema[key] for key in ("const", "example", "default") if key in schema]
        given += schema.get("examples", [])[:1] + schema.get("enum", [])[:1]
        if given:
            return given[0]
        if "allOf" in schema:
            return self._combined(schema["allOf"], name, depth)
        for alternatives in ("oneOf", "anyOf"):
            if alternatives in schema:
                return self.value(schema[alternatives][0], name, depth + 1)
        return self._plain(schema, name, depth)

    def _combined(self, schemas: list[Schema], name: str, depth: int) -> Any:
        values = [self.value(part, name, depth + 1) for part in schemas]
        if all(isinstance(value, dict) for value in values):
            return {key: inner for value in values for key, inner in value.items()}
        return values[0]

    def _plain(self, schema: Schema, name: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((single for single in kind if single != "null"), "null")
        makers: dict[Any, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, name, depth),
            "string": lambda: _text(schema, name),
            "integer": lambda: _number(schema),
            "number": lambda: _number(schema),
            "boolean": lambda: True,
            "null": lambda: None,
        }
        return makers[kind]() if kind in makers else {}

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        return [] if schema.get("maxItems") == 0 else [self.value(schema.get("items", {}), name, depth + 1)]

    def _object(self, schema: Schema, depth: int) -> Schema:
        required = set(schema.get("required", ()))
        result = {}
        for name, inner in schema.get("properties", {}).items():
            if self.required_only and name not in required:
                continue
            try:
                result[name] = self.value(inner, name, depth + 1)
            except _UnknownError:
                if name in required:
                    raise
        if "meta" not in required and result.get("meta") == {}:
            del result["meta"]  # an envelope with nothing more to say has none
        return result


def _text(schema: Schema, name: str) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    form = schema.get("format")
    known = {**_BY_FORMAT, **_END_BY_FORMAT} if name.startswith("ends_") else _BY_FORMAT
    usual = _DECIMALS if form == "decimal" else _TEXTS
    candidates = [known[form]] if form in known else list(usual)
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
